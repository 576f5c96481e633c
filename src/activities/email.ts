import { ApplicationFailure } from '@temporalio/common';
import { and, eq } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { AlertOccasion } from '../contracts/messages.ts';
import type { OrderTemplate, SignupTemplate } from '../contracts/templates.ts';
import type { Database } from '../db/client.ts';
import { emails, orderItems, orders, shipments, signups, verificationTokens, weeklyReports } from '../db/schema.ts';
import type { MailGateway } from '../gateways/smtp.ts';
import { countOpenFailures } from '../intake/failures.ts';
import { newToken } from '../intake/tokens.ts';
import { renderAlert, renderOrderEmail, renderReport, renderSignupEmail, type Letter } from './email-templates.ts';

export type EmailActivities = ReturnType<typeof createEmailActivities>;

export interface EmailSettings {
  /** Base of the links in emails. */
  publicUrl: string;
  operationsEmail: string;
  onCallEmail: string;
}

const FOR_OPERATIONS: readonly OrderTemplate[] = ['approval_requested', 'approval_reminder', 'late_shipment'];

/** Emails. Each has a key: one that the mail server has taken is not sent again, and a copy carries the same `Message-ID`. */
export function createEmailActivities(deps: { db: Database; gateway: MailGateway; settings: EmailSettings }) {
  const { db, gateway, settings } = deps;

  async function sendOnce(
    email: Omit<typeof emails.$inferInsert, 'subject' | 'sentAt'>,
    write: () => Promise<Letter>,
  ): Promise<void> {
    const [sent] = await db.select({ key: emails.key }).from(emails).where(eq(emails.key, email.key));
    if (sent) return;
    const letter = await write();
    await gateway.send({ key: email.key, to: email.recipient, ...letter });
    await db
      .insert(emails)
      .values({ ...email, subject: letter.subject })
      .onConflictDoNothing();
  }

  return {
    /** @param occurrence from 1, for what is sent more than once */
    async sendOrderEmail(ref: OrderRef, template: OrderTemplate, occurrence: number): Promise<void> {
      const [order] = await db.select().from(orders).where(eq(orders.id, ref.orderId));
      if (!order) throw notFound('order');
      const forOperations = FOR_OPERATIONS.includes(template);
      await sendOnce(
        {
          key: `order:${ref.orderId}:${ref.generation}:email:${template}:${occurrence}`,
          template,
          recipient: forOperations ? settings.operationsEmail : order.customerEmail,
          orderId: ref.orderId,
        },
        async () => {
          const items = await db.select().from(orderItems).where(eq(orderItems.orderId, ref.orderId));
          const [shipment] = await db
            .select()
            .from(shipments)
            .where(and(eq(shipments.orderId, ref.orderId), eq(shipments.generation, ref.generation)));
          return renderOrderEmail(template, { order, items, shipment, publicUrl: settings.publicUrl });
        },
      );
    },

    /** A verification email carries a token of its own: only its hash is kept. */
    async sendSignupEmail(signupId: string, template: SignupTemplate, occurrence: number): Promise<void> {
      const [signup] = await db.select().from(signups).where(eq(signups.id, signupId));
      if (!signup) throw notFound('signup');
      await sendOnce(
        { key: `signup:${signupId}:email:${template}:${occurrence}`, template, recipient: signup.email, signupId },
        async () => {
          const { token, hash } = newToken();
          if (template === 'verification' || template === 'verification_reminder') {
            await db.insert(verificationTokens).values({ hash, signupId });
          }
          return renderSignupEmail(template, { signup, token, publicUrl: settings.publicUrl });
        },
      );
    },

    async sendAlert(alert: { group: string; occasion: AlertOccasion; key: string }): Promise<void> {
      await sendOnce({ key: alert.key, template: `alert_${alert.occasion}`, recipient: settings.onCallEmail }, async () =>
        renderAlert(alert, { open: await countOpenFailures(db, alert.group), publicUrl: settings.publicUrl }),
      );
    },

    async sendWeeklyReport(week: string): Promise<void> {
      const [report] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, week));
      if (!report) throw notFound('report');
      await sendOnce({ key: `report:${week}`, template: 'weekly_report', recipient: settings.operationsEmail }, () =>
        renderReport(report, settings.publicUrl),
      );
    },
  };
}

const notFound = (what: string) =>
  ApplicationFailure.create({ type: 'not_found', message: `The ${what} is not in the database.` });
