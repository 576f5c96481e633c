import { and, asc, eq, or } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import { resendWorkflowId } from '../../src/contracts/ids.ts';
import { failureEvents, failures } from '../../src/db/schema.ts';
import { verifySignup } from '../../src/intake/signups.ts';
import { startBulkAction } from '../../src/operate/bulk-actions.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { readBulkAction } from '../../src/queries/bulk-actions.ts';
import { HOUR, useRig } from '../support/rig.ts';

const rig = await useRig();
const OPERATOR = 'key:operator';
const given = { reason: 'the mail server is back' };

const freshAddress = () => `${crypto.randomUUID()}@example.com`;

/** @returns the failures of the emails about an order or a signup, oldest first */
const unsent = (id: string) =>
  rig.db
    .select()
    .from(failures)
    .where(and(eq(failures.kind, 'email'), or(eq(failures.orderId, id), eq(failures.signupId, id))))
    .orderBy(asc(failures.id));

/** Waits, without skipping time, until so many emails about an order or a signup have failed for good. */
async function failedEmails(id: string, count: number) {
  await expect.poll(async () => (await unsent(id)).length, { timeout: 30_000 }).toBe(count);
  return await unsent(id);
}

/** Waits, without skipping time to the next deadline of an order or a signup, until the run that sends an email again has ended. */
async function ended({ id, occurrence }: typeof failures.$inferSelect): Promise<string> {
  const workflowId = resendWorkflowId({ failureId: id, occurrence });
  const run = rig.client.workflow.getHandle(workflowId);
  await expect.poll(async () => (await run.describe()).status.name, { timeout: 30_000 }).toBe('COMPLETED');
  return workflowId;
}

/**
 * Asks for an email again, and waits until it is sent or has failed again.
 * @param run `lasts`: ms of workflow time; `path`: see `keepAs`
 * @returns its failure afterwards
 */
async function retry(failure: typeof failures.$inferSelect, run: { lasts?: number; path?: string } = {}) {
  const { id } = failure;
  await retryFailure.perform(rig, id, given, OPERATOR);
  await rig.deliver();
  if (run.lasts) await rig.skip(run.lasts);
  const workflowId = await ended(failure);
  if (run.path) rig.keepAs(run.path, workflowId);
  const [after] = await rig.db.select().from(failures).where(eq(failures.id, id));
  if (!after) throw new Error('the failure is gone');
  return after;
}

const reasonsOf = async (failureId: string) =>
  (await rig.db.select().from(failureEvents).where(eq(failureEvents.failureId, failureId)).orderBy(asc(failureEvents.id))).map(
    ({ reason }) => reason,
  );

/** An order in the warehouse whose confirmation could not be sent. */
async function unconfirmedOrder(email = freshAddress()) {
  rig.inbox.faults.set({ mode: 'down' });
  const id = await rig.placeOrder({ customer: { email, name: 'Ada Lovelace' } });
  await rig.orderStatus(id, 'fulfilling');
  await rig.skip(120_000);
  const [failure] = await failedEmails(id, 1);
  if (!failure) throw new Error('nothing has failed');
  return { id, email, failure };
}

/** A signup of which the first email and two reminders have failed. */
async function unremindedSignup() {
  rig.inbox.faults.set({ mode: 'down' });
  const address = freshAddress();
  const id = await rig.placeSignup(address);
  await rig.skip(73 * HOUR);
  return { id, address, failed: await failedEmails(id, 3) };
}

describe('an email that could not be sent', () => {
  it('is sent when an operator asks for it, and its failure is resolved', async () => {
    const { id, email, failure } = await unconfirmedOrder();
    rig.heal();
    expect(await retry(failure, { path: 'email-sent-again' })).toMatchObject({ status: 'resolved', occurrence: 1 });
    expect(rig.emails(email)).toEqual([expect.stringMatching(/confirmed/)]);
    expect(await rig.sent(id)).toEqual(['order_confirmed']);
    expect(await rig.failureEvents(id)).toEqual(['opened by holdfast', 'retry_requested by key:operator', 'resolved by holdfast']);
  });

  it('is a failure again if it still cannot be sent, and can be asked for once more', async () => {
    const { email, failure } = await unconfirmedOrder();
    const again = await retry(failure, { lasts: 120_000, path: 'email-failed-again' });
    expect(again).toMatchObject({ status: 'open', occurrence: 2, attempts: 6, errorType: 'email_unavailable' });
    rig.heal();
    expect(await retry(again)).toMatchObject({ status: 'resolved', occurrence: 2 });
    expect(rig.emails(email)).toHaveLength(1);
  });

  it('is a failure again at once if the mail server refuses it for good', async () => {
    const { failure } = await unconfirmedOrder('bounce@example.com');
    rig.heal();
    expect(await retry(failure)).toMatchObject({ status: 'open', occurrence: 2, attempts: 2, errorType: 'invalid_request' });
  });

  it('is sent once if two operators ask for it at once', async () => {
    const { email, failure } = await unconfirmedOrder();
    rig.heal();
    const answers = await Promise.allSettled([retry(failure), retryFailure.perform(rig, failure.id, given, 'key:another')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await rig.deliver();
    await ended(failure);
    expect(rig.inbox.messages({ to: email })).toMatchObject([{ copies: 1 }]);
  });

  it('takes no corrected address: that is for a parked order', async () => {
    const { id, failure } = await unconfirmedOrder();
    const { line1 } = await rig.order(id);
    const shippingAddress = { line1: '221B Baker Street', city: 'London', postalCode: 'NW1 6XE', country: 'GB' };
    const attempt = retryFailure.perform(rig, failure.id, { ...given, shippingAddress }, OPERATOR);
    await expect(attempt).rejects.toMatchObject({ type: 'failure_not_open' });
    expect(await rig.order(id)).toMatchObject({ line1 });
  });
});

describe('the emails of a signup that could not be sent', () => {
  it('are sent, each reminder by itself and with a token of its own', async () => {
    const { id, address, failed } = await unremindedSignup();
    rig.heal();
    expect(failed.map(({ step }) => step)).toEqual(['verification', 'verification_reminder', 'verification_reminder']);
    for (const failure of failed) expect(await retry(failure)).toMatchObject({ status: 'resolved' });
    expect(await rig.sent(id)).toEqual(['verification', 'verification_reminder', 'verification_reminder']);
    const tokens = rig.tokens(address);
    expect(new Set(tokens).size).toBe(3);
    await verifySignup(rig.db, id, tokens[1] ?? '');
    await rig.deliver();
    await rig.signupStatus(id, 'trial');
  });

  it('are not sent once the address is verified, and their failures say so', async () => {
    const { id, address, failed } = await unremindedSignup();
    rig.heal();
    const [first, ...reminders] = failed;
    if (first) await retry(first);
    await verifySignup(rig.db, id, rig.tokens(address)[0] ?? '');
    await rig.deliver();
    await rig.email(address, /^Welcome/);
    for (const reminder of reminders) {
      expect(await retry(reminder)).toMatchObject({ status: 'resolved' });
      expect((await reasonsOf(reminder.id)).at(-1)).toBe('The email was not sent: it is out of date.');
    }
    expect(await rig.sent(id)).toEqual(['verification', 'welcome']);
  });
});

describe('the emails of an order that was restarted', () => {
  it('are told apart by generation, and only those of the latest are sent', async () => {
    rig.inbox.faults.set({ mode: 'down' });
    const customer = { email: freshAddress(), name: 'Ada Lovelace' };
    const id = await rig.placeOrder({ customer, payment: { method: 'pm_card_visa_chargeDeclined' } });
    expect(await rig.endedBadly(id)).toBe('card_declined');
    await restartOrder.perform(rig, id, { reason: 'once more' }, OPERATOR);
    await rig.deliver();
    expect(await rig.endedBadly(id)).toBe('card_declined');
    const failed = await failedEmails(id, 2);
    expect(failed.map(({ step, generation }) => ({ step, generation }))).toEqual([
      { step: 'order_failed', generation: 1 },
      { step: 'order_failed', generation: 2 },
    ]);
    rig.heal();
    for (const failure of failed) expect(await retry(failure)).toMatchObject({ status: 'resolved' });
    expect(rig.emails(customer.email)).toHaveLength(1);
    expect((await reasonsOf(failed[0]?.id ?? '')).at(-1)).toBe('The email was not sent: it is out of date.');
  });
});

describe('a bulk retry of emails', () => {
  it('sends those of orders and of signups, and shows what became of each', async () => {
    const address = freshAddress();
    rig.inbox.faults.set({ mode: 'down' });
    const signupId = await rig.placeSignup(address);
    const orders = [await unconfirmedOrder(), await unconfirmedOrder(), await unconfirmedOrder('bounce@example.com')];
    await failedEmails(signupId, 1);
    rig.heal();

    const ids = [...orders.map(({ failure }) => failure), ...(await unsent(signupId))].map(({ id }) => id);
    const request = bulkActionRequestSchema.parse({ action: 'retry', ids, reason: given.reason, ratePerSecond: 50 });
    const bulkActionId = await startBulkAction(rig.db, request, OPERATOR);
    await rig.deliver();
    const progress = async () => (await readBulkAction(rig.db, bulkActionId))?.progress;
    await expect.poll(progress, { timeout: 30_000 }).toMatchObject({ pending: 0 });
    await rig.deliver();
    await expect
      .poll(progress, { timeout: 30_000 })
      .toMatchObject({ total: 4, requested: 4, skipped: 0, succeeded: 3, failedAgain: 1, waiting: 0 });
    for (const { email } of orders.slice(0, 2)) expect(rig.emails(email)).toHaveLength(1);
    expect(rig.tokens(address)).toHaveLength(1);
  });
});
