import { customerText } from '../contracts/customer-texts.ts';
import { shortNumber } from '../contracts/ids.ts';
import { formatMoney } from '../contracts/money.ts';
import { weeklyFiguresSchema } from '../contracts/report.ts';
import { ORDER_EMAILS, type OrderTemplate, type SignupTemplate } from '../contracts/templates.ts';
import { verificationPath, type OrderLinks } from '../customer-links.ts';
import type { orderItems, orders, shipments, signups, weeklyReports } from '../db/schema.ts';
import { letter, type Content, type Letter } from '../gateways/letter.ts';

/** Writes an email about an order, to the customer or to operations. */
export async function renderOrderEmail(
  template: OrderTemplate,
  facts: {
    order: typeof orders.$inferSelect;
    items: Pick<typeof orderItems.$inferSelect, 'name' | 'quantity'>[];
    shipment: typeof shipments.$inferSelect | null;
    /** Why the order has to be reviewed; null if it has not. */
    review: string | null;
    publicUrl: string;
    customerLinks: OrderLinks;
  },
): Promise<Letter> {
  const { order, items, shipment, review } = facts;
  const total = formatMoney(order.amount, order.currency);
  const hello = `Hello ${order.customerName},`;
  const short = shortNumber(order.id);
  const link = orderLink(template, facts);
  const write = (subject: string, ...lines: string[]) => letter({ subject, lines, link });
  switch (template) {
    case 'order_confirmed':
      return await write(
        `Your order ${short} is confirmed`,
        hello,
        `Thank you. We have received your payment of ${total} and are packing:`,
        ...items.map(({ quantity, name }) => `${quantity} × ${name}`),
      );
    case 'order_shipped':
      return await write(
        `Your order ${short} is on its way`,
        hello,
        `Your parcel is with ${shipment?.carrier ?? 'the carrier'}, tracking number ${shipment?.trackingNumber ?? 'to follow'}.`,
        ...(wasRefusedByShipping(order, shipment)
          ? [`We could not cancel your order any more: the parcel had already left our warehouse. ${RETURN_IT}`]
          : []),
      );
    case 'order_delivered':
      return await write(
        `Your order ${short} has arrived`,
        hello,
        'The carrier reports that your parcel has arrived. We hope you enjoy it.',
      );
    case 'order_cancelled':
      return await write(
        `Your order ${short} has been cancelled`,
        hello,
        'Your order has been cancelled. Anything you paid has been refunded.',
      );
    case 'cancellation_refused':
      return await write(
        `We could not cancel your order ${short}`,
        hello,
        'We are sorry: we could not cancel your order, because the parcel had already left our warehouse and can no longer be stopped.',
        `It will be delivered as planned. ${RETURN_IT}`,
      );
    case 'order_failed':
      return await write(
        `We could not complete your order ${short}`,
        hello,
        'We are sorry, but we could not complete your order.',
        customerText(order.failureType ?? 'unknown'),
        'Anything you paid has been refunded.',
      );
    case 'approval_requested':
    case 'approval_reminder':
      return await write(
        `${template === 'approval_reminder' ? 'Reminder: ' : ''}An order of ${total} is waiting for approval`,
        `Order ${order.id} of ${total} is waiting for approval. Please approve or reject it.`,
        ...(review === null ? [] : [review]),
      );
    case 'late_shipment':
      return await write(
        `Order ${short} has not been shipped`,
        `The warehouse accepted order ${order.id} but has not handed it to a carrier.`,
      );
  }
}

/** Operations read about the order on the operator's page, the customer on a page of their own. */
function orderLink(
  template: OrderTemplate,
  { order, publicUrl, customerLinks }: { order: { id: string }; publicUrl: string; customerLinks: OrderLinks },
): Content['link'] {
  const url = ORDER_EMAILS[template].to === 'customer' ? customerLinks.to(order.id) : `${publicUrl}/ops/orders/${order.id}`;
  return url === undefined ? undefined : { label: 'View the order', url };
}
const RETURN_IT = 'If you do not want to keep it, you can send it back once it has arrived.';

/**
 * Whether a cancellation came too late because the carrier already had the parcel. One that was refused before that has an email
 * of its own.
 */
const wasRefusedByShipping = (
  { cancellationStatus, cancellationSettledAt }: typeof orders.$inferSelect,
  shipment: typeof shipments.$inferSelect | null,
): boolean =>
  cancellationStatus === 'refused' &&
  cancellationSettledAt !== null &&
  (!shipment?.shippedAt || cancellationSettledAt.getTime() >= shipment.shippedAt.getTime());

/** Writes an email to a person who has signed up. */
export async function renderSignupEmail(
  template: SignupTemplate,
  facts: { signup: typeof signups.$inferSelect; token: string; publicUrl: string },
): Promise<Letter> {
  const { signup, token, publicUrl } = facts;
  const hello = `Hello ${signup.name},`;
  const write = (subject: string, ...lines: string[]) => letter({ subject, lines: [hello, ...lines] });
  switch (template) {
    case 'verification':
    case 'verification_reminder':
      return await letter({
        subject: `${template === 'verification_reminder' ? 'Reminder: please' : 'Please'} verify your address`,
        lines: [hello, 'Please verify your address: open the link below. If you are asked for a code, it is:', token],
        link: { label: 'Verify my address', url: `${publicUrl}${verificationPath(signup.id, token)}` },
      });
    case 'welcome':
      return await write('Welcome to Holdfast', 'Your address is verified and your trial has started.');
    case 'trial_ending':
      return await write(
        'Your trial is about to end',
        `Your trial ends on ${signup.trialEndsAt?.toISOString().slice(0, 10) ?? 'soon'}. Subscribe to continue after that.`,
      );
  }
}

/** Writes the weekly report to operations. */
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
    link: { label: 'View the report', url: `${publicUrl}/ops/reports/${report.week}` },
    picture: report.chart,
  });
}
