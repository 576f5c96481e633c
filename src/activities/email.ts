import { eq } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { AlertOccasion } from '../contracts/messages.ts';
import { ORDER_EMAIL_RECIPIENTS, type OrderTemplate, type SignupTemplate } from '../contracts/templates.ts';
import type { Database } from '../db/client.ts';
import { emails, orderItems, shipments, signups, verificationTokens, weeklyReports } from '../db/schema.ts';
import type { MailGateway } from '../gateways/smtp.ts';
import { countOpenInGroup } from '../records/failures.ts';
import { isOf } from '../records/order-rows.ts';
import { newToken } from '../records/tokens.ts';
import { renderAlert, renderOrderEmail, renderReport, renderSignupEmail, type Letter } from './email-templates.ts';
import { notInDatabase } from './errors.ts';
import { findOrder } from './find-order.ts';

export type EmailActivities = ReturnType<typeof createEmailActivities>;

/** Addresses that emails are sent to, and that they link to. */
export interface EmailSettings {
  /** Base URL of the links in emails. */
  publicUrl: string;
  operationsEmail: string;
  onCallEmail: string;
}

/**
 * Sends emails. Each has a key: an email that the mail server is known to have accepted is not sent again, and a copy of
 * any other has the same `Message-ID`.
 */
export function createEmailActivities(deps: {
  db: Database;
  gateway: MailGateway;
  /** For alerts and reports: connections that a flood of customers' mail cannot use up. */
  operationsGateway: MailGateway;
  settings: EmailSettings;
}) {
  const { db, gateway, operationsGateway, settings } = deps;

  async function sendOnce(
    email: Omit<typeof emails.$inferInsert, 'subject' | 'sentAt'>,
    write: () => Promise<Letter>,
    through = gateway,
  ): Promise<void> {
    const [sent] = await db.select({ key: emails.key }).from(emails).where(eq(emails.key, email.key));
    if (sent) return;
    const letter = await write();
    await through.send({ key: email.key, to: email.recipient, ...letter });
    await db
      .insert(emails)
      .values({ ...email, subject: letter.subject })
      .onConflictDoNothing();
  }

  return {
    /** @param occurrence counts from 1, for emails that are sent more than once */
    async sendOrderEmail(ref: OrderRef, template: OrderTemplate, occurrence: number): Promise<void> {
      const order = await findOrder(db, ref);
      const recipients = { customer: order.customerEmail, operations: settings.operationsEmail };
      await sendOnce(
        {
          key: `order:${ref.orderId}:${ref.generation}:email:${template}:${occurrence}`,
          template,
          recipient: recipients[ORDER_EMAIL_RECIPIENTS[template]],
          orderId: ref.orderId,
        },
        async () => {
          const items = await db.select().from(orderItems).where(eq(orderItems.orderId, ref.orderId));
          const [shipment] = await db.select().from(shipments).where(isOf(shipments, ref));
          return renderOrderEmail(template, { order, items, shipment, publicUrl: settings.publicUrl });
        },
      );
    },

    /** Each verification email has its own token. Only the hash of the token is stored. */
    async sendSignupEmail(signupId: string, template: SignupTemplate, occurrence: number): Promise<void> {
      const [signup] = await db.select().from(signups).where(eq(signups.id, signupId));
      if (!signup) throw notInDatabase('signup');
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
      await sendOnce(
        { key: alert.key, template: `alert_${alert.occasion}`, recipient: settings.onCallEmail },
        async () => renderAlert(alert, { open: await countOpenInGroup(db, alert.group), publicUrl: settings.publicUrl }),
        operationsGateway,
      );
    },

    async sendWeeklyReport(week: string): Promise<void> {
      const [report] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, week));
      if (!report) throw notInDatabase('report');
      await sendOnce(
        { key: `report:${week}`, template: 'weekly_report', recipient: settings.operationsEmail },
        () => renderReport(report, settings.publicUrl),
        operationsGateway,
      );
    },
  };
}
