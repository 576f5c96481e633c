import { Context } from '@temporalio/activity';
import { and, eq, sql } from 'drizzle-orm';
import { busy, type ErrorDetails } from '../contracts/errors.ts';
import { emailKey, type OrderRef } from '../contracts/ids.ts';
import type { ResendEmailInput } from '../contracts/messages.ts';
import {
  isCappedTemplate,
  isOrderTemplate,
  isSignupTemplate,
  ORDER_EMAILS,
  SIGNUP_EMAILS,
  type OrderTemplate,
  type SignupTemplate,
} from '../contracts/templates.ts';
import type { OrderLinks } from '../customer-links.ts';
import type { Database } from '../db/client.ts';
import { attemptEvents, emails, failures, orderItems, orders, payments, shipments, signups, verificationTokens, weeklyReports } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { invalidRequest } from '../gateways/errors.ts';
import type { Letter } from '../gateways/letter.ts';
import type { MailGateway } from '../gateways/smtp.ts';
import { closeFailure, isStill } from '../records/failures.ts';
import { isOf } from '../records/order-rows.ts';
import { newToken } from '../records/tokens.ts';
import { errorDetails, recordAttempt, stopwatch, unlessAway, type Attempted } from './attempts.ts';
import { createEmailCap } from './email-cap.ts';
import { renderOrderEmail, renderReport, renderSignupEmail } from './email-templates.ts';
import { notInDatabase } from './errors.ts';
import { findOrder } from './find-order.ts';
import { recordedReason } from './review.ts';

export type EmailActivities = ReturnType<typeof createEmailActivities>;

/** Addresses that emails are sent to, and that they link to. */
export interface EmailSettings {
  /** Base URL of the links in emails. */
  publicUrl: string;
  /** Signs the links to customers' pages. */
  customerLinks: OrderLinks;
  operationsEmail: string;
  /** The cap: see `email-cap.ts`. */
  emailsPerAddressAndDay: number | 'off';
}

type Email = Omit<typeof emails.$inferInsert, 'subject' | 'status' | 'sentAt'>;

/** @returns the number of the next attempt to send an email of an order. One that did not end is not counted */
const nextAttempt = ({ orderId, emailKey: key }: EmailAttempt) =>
  sql`(select count(*) + 1 from ${attemptEvents} where ${and(eq(attemptEvents.orderId, orderId), eq(attemptEvents.emailKey, key))})`;

type EmailAttempt = Attempted & { emailKey: string };

/** What is known of an email before it is sent. */
interface Known {
  isRecorded: boolean;
  /** How many emails its address has had: see `email-cap.ts`. */
  recent: number | null;
}

/** By default, the cap applies to the emails that it is made for. */
interface Sending {
  isCapped?: boolean;
}

/** Whether an email was sent or suppressed, for a query that reads what it is about. */
const isAmongRecorded = (key: string) => sql<boolean>`exists (select from ${emails} where ${eq(emails.key, key)})`;

/** An email that the cap is not about. */
const NOT_CAPPED = sql<null>`null`;

/**
 * Sends emails. Each has a key: an email that the mail server is known to have accepted is not sent again, and a copy of
 * any other has the same `Message-ID`. One that was suppressed stays so.
 */
export function createEmailActivities(deps: {
  db: Database;
  gateway: MailGateway;
  /** For reports: connections that a flood of customers' mail cannot use up. */
  operationsGateway: MailGateway;
  settings: EmailSettings;
}) {
  const { db, gateway, operationsGateway, settings } = deps;

  const cap = createEmailCap(db, settings.emailsPerAddressAndDay);

  const isRecorded = async (key: string): Promise<boolean> => (await db.$count(emails, eq(emails.key, key))) > 0;

  async function sendOnce(email: Email, write: () => Promise<Letter>, through = gateway): Promise<void> {
    if (!(await isRecorded(email.key))) await deliver(email, write, through);
  }

  /** Sends an email to a customer, or to operations about one. @param known read together with what the email is about */
  async function sendCapped(email: Email, write: () => Promise<Letter>, known: Known, attempted?: EmailAttempt): Promise<void> {
    if (known.isRecorded) return;
    const isSent = await cap.unlessReached(email, known.recent, () => deliver(email, write, gateway, attempted));
    if (!isSent) await record({ ...email, status: 'suppressed' });
  }

  /** @param attempted of an order, whose record it is part of */
  async function deliver(email: Email, write: () => Promise<Letter>, through: MailGateway, attempted?: EmailAttempt): Promise<void> {
    const after = stopwatch();
    const letter = await write();
    const { cancellationSignal: signal, info } = Context.current();
    try {
      await through.send({ key: email.key, to: email.recipient, ...letter }, { signal, isFirstTry: info.isLocal });
    } catch (error) {
      if (attempted) await recordUnsent(attempted, after(), errorDetails(error));
      throw error;
    }
    await record({ ...email, subject: letter.subject }, attempted && { attempted, after: after() });
  }

  async function record(email: typeof emails.$inferInsert, attempt?: { attempted: EmailAttempt; after: number }): Promise<void> {
    const recorded = db.insert(emails).values(email).onConflictDoNothing();
    if (!attempt) return void (await recorded);
    const { attempted, after } = attempt;
    const sent = { type: 'done', attempt: nextAttempt(attempted), after } as const;
    await db.execute(sql`with sent as ${recorded.returning({ key: emails.key })} ${recordAttempt(attempted, sent, { from: sql`from sent` })}`);
  }

  /** A first try that was not made, because too many wait for the mail server, is no attempt. */
  async function recordUnsent(attempted: EmailAttempt, after: number, error: ErrorDetails): Promise<void> {
    if (error.errorType === busy('email')) return;
    await unlessAway(() => db.execute(recordAttempt(attempted, { type: 'failed', attempt: nextAttempt(attempted), after, error })));
  }

  async function sendAboutOrder(
    ref: OrderRef,
    template: OrderTemplate,
    key: string,
    { isCapped = isCappedTemplate(template) }: Sending = {},
  ): Promise<void> {
    const isPaid = sql`exists (select from ${payments} where ${isOf(payments, ref)} and captured > 0)`;
    const [facts] = await db
      .select({
        order: orders,
        shipment: shipments,
        items: sql<{ name: string; quantity: number }[]>`(
          select jsonb_agg(jsonb_build_object('name', name, 'quantity', quantity) order by position)
          from ${orderItems} where ${eq(orderItems.orderId, orders.id)})`,
        review: ORDER_EMAILS[template].to === 'operations' ? recordedReason(ref) : sql<null>`null`,
        isRecorded: isAmongRecorded(key),
        recent: isCapped ? sql<number | null>`case when not ${isPaid} then ${cap.recentTo(orders.customerEmail)} end` : NOT_CAPPED,
      })
      .from(orders)
      .leftJoin(shipments, isOf(shipments, ref))
      .where(eq(orders.id, ref.orderId));
    if (!facts) throw notInDatabase('order');
    const recipients = { customer: facts.order.customerEmail, operations: settings.operationsEmail };
    const recipient = recipients[ORDER_EMAILS[template].to];
    const write = () => renderOrderEmail(template, { ...facts, ...settings });
    const attempted = { ...ref, step: template, kind: 'email', emailKey: key } as const;
    await sendCapped({ key, template, recipient, orderId: ref.orderId }, write, facts, attempted);
  }

  async function findSignup(signupId: string) {
    const [signup] = await db.select().from(signups).where(eq(signups.id, signupId));
    if (!signup) throw notInDatabase('signup');
    return signup;
  }

  /** Each verification email has its own token. Only the hash of the token is stored. */
  async function sendAboutSignup(
    signupId: string,
    template: SignupTemplate,
    key: string,
    { isCapped = isCappedTemplate(template) }: Sending = {},
  ): Promise<void> {
    const [facts] = await db
      .select({ signup: signups, isRecorded: isAmongRecorded(key), recent: isCapped ? cap.recentTo(signups.email) : NOT_CAPPED })
      .from(signups)
      .where(eq(signups.id, signupId));
    if (!facts) throw notInDatabase('signup');
    const { signup } = facts;
    const write = async () => {
      const { token, hash } = newToken();
      if (template === 'verification' || template === 'verification_reminder') {
        await db.insert(verificationTokens).values({ hash, signupId });
      }
      return renderSignupEmail(template, { signup, token, publicUrl: settings.publicUrl });
    };
    await sendCapped({ key, template, recipient: signup.email, signupId }, write, facts);
  }

  /** @returns how to send the email that failed, and whether what it says is still true */
  async function readFailedEmail({ orderId, generation, signupId, step, emailKey: key }: typeof failures.$inferSelect) {
    if (key && orderId && generation !== null && isOrderTemplate(step)) {
      const ref = { orderId, generation };
      const order = await findOrder(db, ref);
      const holds = order.generation === generation && ORDER_EMAILS[step].holdsIn.includes(order.status);
      return { key, holds, send: () => sendAboutOrder(ref, step, key, { isCapped: false }) };
    }
    if (key && signupId && isSignupTemplate(step)) {
      const { status } = await findSignup(signupId);
      const holds = SIGNUP_EMAILS[step].holdsIn.includes(status);
      return { key, holds, send: () => sendAboutSignup(signupId, step, key, { isCapped: false }) };
    }
    throw invalidRequest('There is no such email any more.');
  }

  return {
    /** @param occurrence counts from 1, for emails that are sent more than once */
    async sendOrderEmail(ref: OrderRef, template: OrderTemplate, occurrence: number): Promise<void> {
      await sendAboutOrder(ref, template, emailKey(ref, { template, occurrence }));
    },

    /** @param occurrence counts from 1, for emails that are sent more than once */
    async sendSignupEmail(signupId: string, template: SignupTemplate, occurrence: number): Promise<void> {
      await sendAboutSignup(signupId, template, emailKey({ signupId }, { template, occurrence }));
    },

    /**
     * Sends an email again that could not be sent, because an operator has asked for it. Its failure is resolved then. An
     * email that is no longer true would mislead: it is not sent, and its failure is resolved, too.
     */
    async resendEmail(input: ResendEmailInput): Promise<void> {
      const [failure] = await db.select().from(failures).where(isStill(input));
      // Otherwise it has failed again, or was closed, meanwhile.
      if (!failure) return;
      const { key, holds, send } = await readFailedEmail(failure);
      const outdated = !holds && !(await isRecorded(key));
      if (!outdated) await send();
      const outcome = outdated ? 'The email was not sent: it is out of date.' : 'The email has been sent.';
      await transaction(db, (tx) => closeFailure(tx, failure.id, 'resolved', outcome));
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
