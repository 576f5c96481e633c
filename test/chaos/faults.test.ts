import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { emails } from '../../src/db/schema.ts';
import type { OperatorAction } from '../../src/operate/action.ts';
import { cancelFailure, retryFailure } from '../../src/operate/failures.ts';
import type { NewOrder } from '../../src/intake/orders.ts';
import { faultModes } from '../../src/sandbox/simulators/faults.ts';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { createRig, HOUR, type Rig } from '../support/rig.ts';

/** ms that a call to the outside may take in these tests; `slow` takes longer. */
const PATIENCE = 250;
const TOO_SLOW = 400;

const NOWHERE: Partial<NewOrder> = {
  shippingAddress: { line1: 'Lost Road 1', city: 'Nowhere', postalCode: '00000', country: 'GB' },
};
const DECLINED: Partial<NewOrder> = { payment: { method: 'pm_card_visa_chargeDeclined' } };

let rig: Rig;
let stockAtFirst: Record<string, number>;

beforeAll(async () => {
  rig = await createRig({ gatewayTimeout: PATIENCE });
  stockAtFirst = await stockTotals(rig.db);
});
afterAll(() => rig.close());
afterEach(() => heal());

type Service = 'payments' | 'warehouse' | 'inbox';
interface Trouble {
  service: Service;
  /** The one route that is hit; all of the service's, unless given. */
  operation?: string;
  mode: (typeof faultModes)[number];
  /** How many requests are hit; all, unless given. */
  count?: number;
}

function strike({ service, mode, operation, count }: Trouble): void {
  const aim = { ...(operation === undefined ? {} : { operation }), ...(count === undefined ? {} : { count }) };
  rig[service].faults.set(mode === 'slow' ? { mode, delayMs: TOO_SLOW, ...aim } : { mode, ...aim });
}

const heal = () => {
  rig.payments.faults.clear();
  rig.warehouse.faults.clear();
  rig.inbox.faults.clear();
};

const inEveryMode = <Call extends object>(calls: Call[]) =>
  calls.flatMap((call) => faultModes.map((mode) => ({ ...call, mode })));

/** @returns how the run of an order ended: its status, or the type it failed with */
const outcome = (orderId: string): Promise<unknown> =>
  rig.result(orderWorkflowId(orderId)).then(
    () => 'completed',
    (error: unknown) => (error instanceof Error && error.cause instanceof Error && 'type' in error.cause ? error.cause.type : error),
  );

async function deliver(orderId: string): Promise<void> {
  await rig.carrier(orderId, 'shipped');
  await rig.carrier(orderId, 'delivered');
  expect(await outcome(orderId)).toBe('completed');
}

/** Lets retries go by until the order needs something else than time. @returns where it stands then */
async function rest(orderId: string): Promise<string> {
  for (let hours = 0; hours < 4; hours += 1) {
    await rig.skip(HOUR);
    const { status } = await rig.order(orderId);
    if (['fulfilling', 'needs_attention', 'failed', 'cancelled'].includes(status)) return status;
  }
  return (await rig.order(orderId)).status;
}

const forwardCalls = [
  {
    call: 'creating the payment',
    service: 'payments',
    operation: 'POST /v1/payment_intents',
    step: 'charge',
  },
  {
    call: 'confirming the payment',
    service: 'payments',
    operation: 'POST /v1/payment_intents/:id/confirm',
    step: 'charge',
  },
  { call: 'requesting the shipment', service: 'warehouse', operation: 'POST /v1/shipments', step: 'ship' },
] as const;

describe('a call that fails twice on the way forward', () => {
  it.each(inEveryMode([...forwardCalls]))('$call, $mode: the order goes through, with one effect', async (trouble) => {
    // A slow request counts once: while it is served, its key is refused to the attempts that follow.
    strike({ ...trouble, count: trouble.mode === 'slow' ? 1 : 2 });
    const id = await rig.placeOrder();
    if (trouble.mode === 'slow') await rig.step(id, `${trouble.step}: retrying`);
    await untilServed();
    expect(await rest(id)).toBe('fulfilling');
    await deliver(id);
    await expectSound(rig, id);
  });
});

describe('a call that fails until its retries are spent', () => {
  it.each(inEveryMode([...forwardCalls]))(
    '$call, $mode: a retry goes on from there, a cancellation leaves nothing behind',
    async (trouble) => {
      strike(trouble);
      const [retried, cancelled] = [await rig.placeOrder(), await rig.placeOrder()];
      // Some of these calls take effect although their answer is lost: then the next attempt sees it, and nothing parks.
      const isParked = (await rest(retried)) === 'needs_attention';
      expect(await rest(cancelled)).toBe(isParked ? 'needs_attention' : 'fulfilling');
      heal();
      await untilServed();
      // Both before the clock may run on: nobody waits longer than the parking deadline.
      if (isParked) await resolve(retried, retryFailure);
      if (isParked) await resolve(cancelled, cancelFailure);
      else await rig.cancel(cancelled);
      expect(await outcome(cancelled)).toBe('order_cancelled');
      await expectSound(rig, cancelled);
      expect(await rig.order(cancelled)).toMatchObject({ status: 'cancelled' });

      expect(await rest(retried)).toBe('fulfilling');
      await deliver(retried);
      await expectSound(rig, retried);
      expect([...(await liveFailures(retried)), ...(await liveFailures(cancelled))]).toEqual([]);
    },
  );
});

const undoCalls = [
  { call: 'reading the payment', service: 'payments', operation: 'GET /v1/payment_intents/:id', order: DECLINED, ends: 'card_declined' },
  { call: 'cancelling the payment', service: 'payments', operation: 'POST /v1/payment_intents/:id/cancel', order: DECLINED, ends: 'card_declined' },
  { call: 'listing refunds', service: 'payments', operation: 'GET /v1/refunds', order: NOWHERE, ends: 'invalid_address' },
  { call: 'refunding', service: 'payments', operation: 'POST /v1/refunds', order: NOWHERE, ends: 'invalid_address' },
  { call: 'barring the shipment', service: 'warehouse', operation: 'POST /v1/shipments/:reference/cancellation', order: NOWHERE, ends: 'invalid_address' },
] as const;

describe('a call that fails again and again on the way back', () => {
  it.each(inEveryMode([...undoCalls]))('$call, $mode: everything is undone, once', async ({ order, ends, ...trouble }) => {
    strike({ ...trouble, count: 4 });
    const id = await rig.placeOrder(order);
    expect(await outcome(id)).toBe(ends);
    await expectSound(rig, id);
    expect(await rig.order(id)).toMatchObject({ status: 'failed', failureType: ends });
    const [failure] = await rig.failures(id);
    expect(failure).toMatchObject({ kind: 'compensation', status: 'resolved' });
    expect(await liveFailures(id)).toEqual([]);
  });

  it.each(inEveryMode([{ call: 'taking the parcel back', service: 'warehouse' as const }]))(
    '$call, $mode: the cancelled order keeps nothing',
    async (trouble) => {
      const id = await rig.placeOrder();
      expect(await rest(id)).toBe('fulfilling');
      strike({ ...trouble, count: 3 });
      await rig.cancel(id);
      expect(await outcome(id)).toBe('order_cancelled');
      await expectSound(rig, id);
      },
  );
});

describe('mail', () => {
  it.each(inEveryMode([{ service: 'inbox' as const }]))('$mode for two mails: it arrives, and is one mail', async (trouble) => {
    const email = `${crypto.randomUUID()}@example.com`;
    strike({ ...trouble, count: 2 });
    const id = await rig.placeOrder({ customer: { email, name: 'Ada Lovelace' } });
    expect(await rest(id)).toBe('fulfilling');
    await deliver(id);
    const sent = await rig.db.select({ subject: emails.subject }).from(emails).where(eq(emails.recipient, email));
    expect(sent.length).toBeGreaterThanOrEqual(2);
    expect(rig.emails(email).toSorted()).toEqual(sent.map(({ subject }) => subject).toSorted());
    expect(await rig.failures(id)).toEqual([]);
    await expectSound(rig, id);
  });

  it.each(inEveryMode([{ service: 'inbox' as const }]))('$mode for good: the order does not mind, and a person is told', async (trouble) => {
    strike(trouble);
    const id = await rig.placeOrder();
    expect(await rest(id)).toBe('fulfilling');
    await deliver(id);
    const failures = await rig.failures(id);
    expect(failures.map(({ step }) => step)).toEqual(expect.arrayContaining(['order_confirmed', 'order_shipped']));
    for (const failure of failures) {
      expect(failure).toMatchObject({ kind: 'email', errorType: 'email_unavailable', status: 'open', attempts: 3 });
    }
    await expectSound(rig, id);
  });
});

describe('after all of that', () => {
  it('nothing is missing from the stock', async () => {
    expect(await stockTotals(rig.db)).toEqual(stockAtFirst);
  });

  it('invoices are numbered without a gap', async () => {
    const numbers = await invoiceNumbers(rig.db);
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });
});

/** Waits for slow requests to end. Under a clock that skips, every retry would go by while one is still being served. */
async function untilServed(): Promise<void> {
  await vi.waitFor(() => {
    if (rig.payments.faults.heldUp + rig.warehouse.faults.heldUp > 0) throw new Error('a slow request is being served');
  });
}

async function resolve(orderId: string, action: OperatorAction): Promise<void> {
  const [failure] = await liveFailures(orderId);
  if (!failure) throw new Error('nothing is parked');
  await action.perform(rig, failure.id, { reason: 'the service is back' }, 'test');
  await rig.deliver();
}

async function liveFailures(orderId: string) {
  return (await rig.failures(orderId)).filter(({ status }) => status === 'open' || status === 'retrying');
}
