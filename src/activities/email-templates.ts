import { html, raw } from 'hono/html';
import type { AlertOccasion } from '../contracts/messages.ts';
import { formatMoney } from '../contracts/money.ts';
import { weeklyFiguresSchema } from '../contracts/report.ts';
import type { OrderTemplate, SignupTemplate } from '../contracts/templates.ts';
import type { orderItems, orders, shipments, signups, weeklyReports } from '../db/schema.ts';

/** A written email, without its address. */
export interface Letter {
  subject: string;
  text: string;
  html: string;
}

interface Content {
  subject: string;
  lines: string[];
  link?: { label: string; url: string };
  /** SVG, for those who read HTML */
  picture?: string;
}

/** One look for all: the text and the HTML say the same. `html` escapes what it is given. */
async function letter({ subject, lines, link, picture }: Content): Promise<Letter> {
  const text = [...lines, ...(link ? [`${link.label}: ${link.url}`] : []), 'Holdfast'].join('\n\n');
  const body = await html`<!doctype html>
    <html lang="en">
      <body style="font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 2em auto; color: #1c1c1c">
        ${lines.map((line) => html`<p>${line}</p>`)} ${picture ? raw(picture) : ''}
        ${link ? html`<p><a href="${link.url}">${link.label}</a></p>` : ''}
        <p style="color: #6b6b6b">Holdfast</p>
      </body>
    </html>`;
  return { subject, text, html: body.toString() };
}

export async function renderOrderEmail(
  template: OrderTemplate,
  facts: {
    order: typeof orders.$inferSelect;
    items: (typeof orderItems.$inferSelect)[];
    shipment: typeof shipments.$inferSelect | undefined;
    publicUrl: string;
  },
): Promise<Letter> {
  const { order, items, shipment, publicUrl } = facts;
  const total = formatMoney(order.amount, order.currency);
  const hello = `Hello ${order.customerName},`;
  const short = order.id.slice(-8);
  const link = { label: 'The order', url: `${publicUrl}/v1/orders/${order.id}` };
  switch (template) {
    case 'order_confirmed':
      return await letter({
        subject: `Your order ${short} is confirmed`,
        lines: [
          hello,
          `Thank you. We have received your payment of ${total} and are packing:`,
          ...items.map(({ quantity, name }) => `${quantity} × ${name}`),
        ],
        link,
      });
    case 'order_shipped':
      return await letter({
        subject: `Your order ${short} is on its way`,
        lines: [
          hello,
          `Your parcel is with ${shipment?.carrier ?? 'the carrier'}, tracking number ${shipment?.trackingNumber ?? 'to follow'}.`,
        ],
        link,
      });
    case 'order_delivered':
      return await letter({
        subject: `Your order ${short} has arrived`,
        lines: [hello, 'The carrier says that your parcel has arrived. We hope that you like it.'],
        link,
      });
    case 'order_cancelled':
      return await letter({
        subject: `Your order ${short} is cancelled`,
        lines: [hello, 'Your order is cancelled. What you had paid has been given back.'],
        link,
      });
    case 'order_failed':
      return await letter({
        subject: `We could not complete your order ${short}`,
        lines: [
          hello,
          `We are sorry: your order could not be completed (${order.failureMessage ?? 'reason unknown'}).`,
          'What you had paid has been given back.',
        ],
        link,
      });
    case 'approval_requested':
    case 'approval_reminder':
      return await letter({
        subject: `${template === 'approval_reminder' ? 'Reminder: ' : ''}Order ${short} over ${total} waits for approval`,
        lines: [`Order ${order.id} over ${total} waits for a person to approve or reject it.`],
        link,
      });
    case 'late_shipment':
      return await letter({
        subject: `Order ${short} has not been shipped`,
        lines: [`The warehouse accepted order ${order.id}, but has not handed it to a carrier.`],
        link,
      });
  }
}

export async function renderSignupEmail(
  template: SignupTemplate,
  facts: { signup: typeof signups.$inferSelect; token: string; publicUrl: string },
): Promise<Letter> {
  const { signup, token, publicUrl } = facts;
  const hello = `Hello ${signup.name},`;
  const verification = `${publicUrl}/v1/signups/${signup.id}/verification`;
  switch (template) {
    case 'verification':
    case 'verification_reminder':
      return await letter({
        subject: `${template === 'verification_reminder' ? 'Reminder: please' : 'Please'} verify your address`,
        lines: [
          hello,
          'Please verify your address with this token:',
          token,
          `curl -X POST ${verification} -H 'content-type: application/json' -d '{"token":"${token}"}'`,
        ],
      });
    case 'welcome':
      return await letter({
        subject: 'Welcome to Holdfast',
        lines: [hello, 'Your address is verified and your trial has begun.'],
      });
    case 'trial_ending':
      return await letter({
        subject: 'Your trial is about to end',
        lines: [hello, `Your trial ends on ${signup.trialEndsAt?.toISOString().slice(0, 10) ?? 'soon'}. Subscribe to stay.`],
      });
  }
}

const ALERT_WORDS: Record<AlertOccasion, string> = { opened: 'Failing', digest: 'Still failing', resolved: 'Resolved' };

export async function renderAlert(
  { group, occasion }: { group: string; occasion: AlertOccasion },
  { open, publicUrl }: { open: number; publicUrl: string },
): Promise<Letter> {
  return await letter({
    subject: `[Holdfast] ${ALERT_WORDS[occasion]}: ${group} (${open} open)`,
    lines: [
      occasion === 'resolved'
        ? `Nothing is open any more in the group "${group}".`
        : `${open} open in the group "${group}". Nothing has been undone: they wait for a retry or a cancellation.`,
    ],
    link: { label: 'Failures', url: `${publicUrl}/ops/failures?status=open` },
  });
}

export async function renderReport(report: typeof weeklyReports.$inferSelect, publicUrl: string): Promise<Letter> {
  const { currency, orders: counts, money, signups: people, failures } = weeklyFiguresSchema.parse(report.figures);
  return await letter({
    subject: `Week ${report.week}: ${counts.accepted} orders, ${formatMoney(money.captured, currency)}`,
    lines: [
      `Orders: ${counts.accepted} accepted, ${counts.completed} completed, ${counts.cancelled} cancelled, ${counts.failed} failed, ${counts.open} open.`,
      `Money: ${formatMoney(money.captured, currency)} captured, ${formatMoney(money.refunded, currency)} refunded.`,
      `Signups: ${people.started} started, ${people.verified} verified, ${people.subscribed} subscribed, ${people.expired} expired.`,
      `Failures: ${failures.opened} opened, ${failures.stillOpen} still open.`,
    ],
    link: { label: 'The report', url: `${publicUrl}/v1/reports/weekly/${report.week}` },
    picture: report.chart,
  });
}
