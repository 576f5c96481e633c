import { eq } from 'drizzle-orm';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { emails } from '../../src/db/schema.ts';
import type { NewOrder } from '../../src/intake/orders.ts';
import { faultModes, type FaultMode } from '../../src/sandbox/simulators/faults.ts';
import { invoiceNumbers } from '../support/audit.ts';
import { createRig, HOUR } from '../support/rig.ts';

/** ms that a call to an outside service may take in these tests; `slow` takes longer. */
const TIMEOUT = 250;
const TOO_SLOW = 400;

const NOWHERE: Partial<NewOrder> = {
  shippingAddress: { line1: 'Lost Road 1', city: 'Nowhere', postalCode: '00000', country: 'GB' },
};
const DECLINED: Partial<NewOrder> = { payment: { method: 'pm_card_visa_chargeDeclined' } };

const rig = await createRig({ gatewayTimeout: TIMEOUT });
afterAll(() => rig.close());
afterEach(async () => {
  rig.heal();
  await rig.checkBooks();
});

interface Trouble {
  service: 'payments' | 'warehouse' | 'inbox';
  /** The one route that fails; by default, all routes of the service. */
  operation?: string;
  mode: FaultMode;
  /** How many requests fail; by default, all. */
  count?: number;
}

function cause({ service, mode, operation, count }: Trouble): void {
  const aim = { ...(operation === undefined ? {} : { operation }), ...(count === undefined ? {} : { count }) };
  rig[service].faults.set(mode === 'slow' ? { mode, delayMs: TOO_SLOW, ...aim } : { mode, ...aim });
}

const inEveryMode = <Call extends object>(calls: readonly Call[]) =>
  calls.flatMap((call) => faultModes.map((mode) => ({ ...call, mode })));

/** Delivers the parcel of an order and waits until the order is completed. */
async function deliverParcel(orderId: string): Promise<void> {
  await rig.carrier(orderId, 'shipped');
  await rig.carrier(orderId, 'delivered');
  await rig.result(orderWorkflowId(orderId));
  expect(await rig.order(orderId)).toMatchObject({ status: 'completed' });
}

/** Skips time until retries no longer move the order. @returns its status then */
async function settle(orderId: string): Promise<string> {
  for (let hours = 0; hours < 4; hours += 1) {
    await rig.skip(HOUR);
    const { status } = await rig.order(orderId);
    if (['fulfilling', 'needs_attention', 'failed', 'cancelled'].includes(status)) return status;
  }
  return (await rig.order(orderId)).status;
}

/** Skips time until an order has parked, or has been handed over. @returns whether it has parked */
async function hasParked(orderId: string): Promise<boolean> {
  const status = await settle(orderId);
  expect(['needs_attention', 'fulfilling']).toContain(status);
  return status === 'needs_attention';
}

/** Waits until no slow request is being served. Otherwise all retries would pass, in skipped time, during one request. */
async function untilServed(): Promise<void> {
  await expect.poll(() => rig.payments.faults.heldUp + rig.warehouse.faults.heldUp).toBe(0);
}

const liveFailures = async (orderId: string) =>
  (await rig.failures(orderId)).filter(({ status }) => status === 'open' || status === 'retrying');

const forwardCalls = [
  { call: 'creating the payment', service: 'payments', operation: 'POST /v1/payment_intents', step: 'charge' },
  {
    call: 'confirming the payment',
    service: 'payments',
    operation: 'POST /v1/payment_intents/:id/confirm',
    step: 'charge',
  },
  { call: 'requesting the shipment', service: 'warehouse', operation: 'POST /v1/shipments', step: 'ship' },
] as const;

describe('a call of a step that fails twice', () => {
  it.each(inEveryMode(forwardCalls))('completes the order with one effect: $call, $mode', async (trouble) => {
    // A slow request counts once: while it is served, the attempts that follow are refused its key.
    cause({ ...trouble, count: trouble.mode === 'slow' ? 1 : 2 });
    const id = await rig.placeOrder();
    if (trouble.mode === 'slow') await rig.step(id, `${trouble.step}: retrying`);
    await untilServed();
    expect(await settle(id)).toBe('fulfilling');
    await deliverParcel(id);
  });
});

describe('a call of a step that fails until its retries are used up', () => {
  it.each(inEveryMode(forwardCalls))(
    'lets a retry continue from there, and a cancellation undo everything: $call, $mode',
    async (trouble) => {
      cause(trouble);
      const [retried, cancelled] = [await rig.placeOrder(), await rig.placeOrder()];
      // In some modes the call takes effect and only its answer is lost. If the next attempt finds that, nothing parks.
      const isRetriedParked = await hasParked(retried);
      const isCancelledParked = await hasParked(cancelled);
      rig.heal();
      await untilServed();
      // Both before time may be skipped again: that could reach the parking deadline.
      if (isRetriedParked) await rig.retry(retried);
      if (isCancelledParked) await rig.giveUp(cancelled);
      else await rig.cancel(cancelled);
      expect(await rig.endedBadly(cancelled)).toBe('order_cancelled');
      expect(await rig.order(cancelled)).toMatchObject({ status: 'cancelled' });

      expect(await settle(retried)).toBe('fulfilling');
      await deliverParcel(retried);
      expect([...(await liveFailures(retried)), ...(await liveFailures(cancelled))]).toEqual([]);
    },
  );
});

const undoCalls = [
  { call: 'reading the payment', service: 'payments', operation: 'GET /v1/payment_intents/:id', order: DECLINED, error: 'card_declined' },
  { call: 'cancelling the payment', service: 'payments', operation: 'POST /v1/payment_intents/:id/cancel', order: DECLINED, error: 'card_declined' },
  { call: 'listing refunds', service: 'payments', operation: 'GET /v1/refunds', order: NOWHERE, error: 'invalid_address' },
  { call: 'refunding', service: 'payments', operation: 'POST /v1/refunds', order: NOWHERE, error: 'invalid_address' },
  { call: 'blocking the shipment', service: 'warehouse', operation: 'POST /v1/shipments/:reference/cancellation', order: NOWHERE, error: 'invalid_address' },
] as const;

describe('a call of a compensation that fails several times', () => {
  it.each(inEveryMode(undoCalls))('undoes everything once: $call, $mode', async ({ order, error, ...trouble }) => {
    cause({ ...trouble, count: 4 });
    const id = await rig.placeOrder(order);
    expect(await rig.endedBadly(id)).toBe(error);
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: error });
    const [failure] = await rig.failures(id);
    expect(failure).toMatchObject({ kind: 'compensation', status: 'resolved' });
    expect(await liveFailures(id)).toEqual([]);
  });

  it.each(faultModes)('leaves nothing of a cancelled order: withdrawing the parcel, %s', async (mode) => {
    const id = await rig.placeOrder();
    expect(await settle(id)).toBe('fulfilling');
    cause({ service: 'warehouse', mode, count: 3 });
    await rig.cancel(id);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
  });
});

describe('email', () => {
  it.each(faultModes)('arrives once after two failed attempts: %s', async (mode) => {
    const email = `${crypto.randomUUID()}@example.com`;
    cause({ service: 'inbox', mode, count: 2 });
    const id = await rig.placeOrder({ customer: { email, name: 'Ada Lovelace' } });
    expect(await settle(id)).toBe('fulfilling');
    await deliverParcel(id);
    const sent = await rig.db.select({ subject: emails.subject }).from(emails).where(eq(emails.recipient, email));
    expect(sent.length).toBeGreaterThanOrEqual(2);
    expect(rig.emails(email).toSorted()).toEqual(sent.map(({ subject }) => subject ?? 'suppressed').toSorted());
    expect(await rig.failures(id)).toEqual([]);
  });

  it.each(faultModes)('opens a failure if every attempt fails, and does not stop the order: %s', async (mode) => {
    cause({ service: 'inbox', mode });
    const id = await rig.placeOrder();
    expect(await settle(id)).toBe('fulfilling');
    await deliverParcel(id);
    const failures = await rig.failures(id);
    expect(failures.map(({ step }) => step)).toEqual(expect.arrayContaining(['order_confirmed', 'order_shipped']));
    for (const failure of failures) {
      expect(failure).toMatchObject({ kind: 'email', errorType: 'email_unavailable', status: 'open', attempts: 3 });
    }
  });
});

describe('all these orders together', () => {
  it('leave no gap in the invoice numbers', async () => {
    const numbers = await invoiceNumbers(rig.db);
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('have histories that replay', { timeout: 120_000 }, async () => {
    await expect(rig.replayHistories()).resolves.toBeUndefined();
  });
});
