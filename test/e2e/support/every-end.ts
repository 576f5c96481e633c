import { and, eq } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { expect, vi } from 'vitest';
import { orderWorkflowId, shipmentReference, signupWorkflowId } from '../../../src/contracts/ids.ts';
import type { FailureKind, OrderStatus, SignupStatus } from '../../../src/contracts/statuses.ts';
import { failures, orders, payments, refunds, signups } from '../../../src/db/schema.ts';
import { call, WEBHOOK_SECRET } from '../../api/support/api.ts';
import type { WatchedShop } from './watched-shop.ts';

/** How long each wait of the shop takes: every end comes within a minute, and a busy machine answers before it is over. */
export const SHORT_WAITS = {
  APPROVAL_DEADLINE: '40s',
  SIGNUP_REMINDERS: '10s',
  VERIFICATION_DEADLINE: '40s',
  TRIAL: '30s',
  TRIAL_REMINDER_BEFORE: '10s',
};

const PATIENTLY = { timeout: 120_000, interval: 300 };

/** What a test writes into everything that a person or a service may write. */
export interface Words {
  /** Personal data and free text. */
  personal: string;
  /** What the carrier says: Temporal has to know it, but nobody else who can reach it. */
  facts: string;
}

const concurrently = async (parts: (() => Promise<void>)[]): Promise<void> => {
  await Promise.all(parts.map((part) => part()));
};

/**
 * Leads orders and signups to every end that they can have, through the API, all at once.
 * @returns every answer of the API by who got it, and the problems among them
 */
export async function playEveryEnd(watched: WatchedShop, { personal, facts }: Words) {
  const { shop, keys } = watched;
  const answers = { customer: '', stranger: '', operator: '', problems: '' };

  /** Repeats a request whose connection was lost: on a busy machine, a refusal of the one before may close it. */
  const send = (...request: [method: string, path: string, options?: Parameters<typeof call>[3]]) =>
    call(watched, ...request).catch((error: unknown) => {
      if (error instanceof TypeError) return call(watched, ...request);
      throw error;
    });

  async function ask(who: keyof typeof keys, method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const answer = await send(method, path, { key: keys[who], ...(body && { body }), headers });
    const text = JSON.stringify(answer.body);
    // A problem names the path that was asked for, and the id of the request.
    if (answer.status >= 400) answers.problems += text;
    else answers[who] += text;
    return answer;
  }

  async function create(path: string, end: string, body: object, who: 'customer' | 'stranger' = 'customer'): Promise<string> {
    const { status, headers } = await ask(who, 'POST', path, body, { 'Idempotency-Key': `${personal}idempotency${end}` });
    expect({ end, status }).toEqual({ end, status: 202 });
    return headers.get('Location')?.split('/').at(-1) ?? '';
  }

  const orderOf = (end: string) => ({
    customer: { email: `${personal}email${end}@example.com`, name: `${personal}name${end}` },
    shippingAddress: { line1: `${personal}line${end}`, city: `${personal}city${end}`, postalCode: 'W1U 4EG', country: 'GB' },
    items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
    payment: { method: 'pm_card_mastercard' },
  });
  const placeOrder = (end: string, changes: object = {}) => create('/v1/orders', end, { ...orderOf(end), ...changes });
  const signUp = (end: string, email = `${personal}email${end}@example.com`) =>
    create('/v1/signups', end, { email, name: `${personal}name${end}` });

  const dear = { items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] };
  const nowhere = (end: string) => ({ shippingAddress: { ...orderOf(end).shippingAddress, postalCode: '00000' } });
  const because = (end: string) => ({ reason: `because of ${personal}reason${end}` });

  // Asking the API again and again would be most of the work of this test.
  const hasStatus = (id: string, status: OrderStatus) =>
    vi.waitFor(async () => {
      const [order] = await shop.db.select({ status: orders.status }).from(orders).where(eq(orders.id, id));
      expect({ id, ...order }).toEqual({ id, status });
    }, PATIENTLY);
  const signupHasStatus = (id: string, status: SignupStatus) =>
    vi.waitFor(async () => {
      const [signup] = await shop.db.select({ status: signups.status }).from(signups).where(eq(signups.id, id));
      expect({ id, ...signup }).toEqual({ id, status });
    }, PATIENTLY);

  /** Waits for the end of an order and of its run, and reads its story as everyone may. */
  async function ends(id: string, status: OrderStatus): Promise<void> {
    await hasStatus(id, status);
    expect(await watched.ended(orderWorkflowId(id))).toBe(status === 'completed' ? 'COMPLETED' : 'FAILED');
    for (const path of [`/v1/orders/${id}`, `/v1/orders/${id}/saga`, `/v1/orders/${id}/events`]) {
      await ask('customer', 'GET', path);
      await ask('operator', 'GET', path);
    }
    await ask('operator', 'GET', `/v1/ops/orders/${id}`);
  }

  async function signupEnds(id: string, status: SignupStatus): Promise<void> {
    await signupHasStatus(id, status);
    expect(await watched.ended(signupWorkflowId(id))).toBe('COMPLETED');
    await ask('customer', 'GET', `/v1/signups/${id}`);
    await ask('operator', 'GET', `/v1/ops/signups/${id}`);
  }

  /** Waits for an open failure of an order or a signup. @returns its id */
  async function failureOf(workflowId: string, kind: FailureKind): Promise<string> {
    const { id } = await vi.waitFor(async () => {
      const isIt = and(eq(failures.workflowId, workflowId), eq(failures.kind, kind), eq(failures.status, 'open'));
      const [failure] = await shop.db.select({ id: failures.id }).from(failures).where(isIt);
      return failure ?? expect.fail(`${workflowId} has no failure of kind ${kind}.`);
    }, PATIENTLY);
    await ask('operator', 'GET', `/v1/ops/failures/${id}`);
    return id;
  }

  const onFailure = (id: string, action: 'retry' | 'cancel' | 'settlement', end: string) =>
    act(`/v1/ops/failures/${id}/${action}`, because(end));

  async function act(path: string, body: object): Promise<void> {
    const { status } = await ask('operator', 'POST', path, body);
    expect({ path, status }).toEqual({ path, status: 202 });
  }

  /** Sends what the carrier says about a parcel. */
  async function carrier(orderId: string, type: string, { reason, generation = 1 }: { reason?: string; generation?: number } = {}) {
    const reference = shipmentReference({ orderId, generation });
    const text = JSON.stringify({
      type: `shipment.${type}`,
      data: { reference, carrier: `${facts}carrier`, trackingNumber: `${facts}tracking`, ...(reason !== undefined && { reason }) },
    });
    const [id, at] = [crypto.randomUUID(), new Date()];
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, at, text),
    };
    expect(await send('POST', '/v1/webhooks/warehouse', { text, headers })).toMatchObject({ status: 202 });
  }

  async function deliver(orderId: string, generation = 1): Promise<void> {
    await hasStatus(orderId, 'fulfilling');
    await carrier(orderId, 'shipped', { generation });
    await carrier(orderId, 'delivered', { generation });
    await ends(orderId, 'completed');
  }

  async function verify(id: string, end: string): Promise<void> {
    const to = `${personal}email${end}`;
    const token = await vi.waitFor(() => {
      const [mailed] = shop.inbox.messages({ to }).flatMap(({ text }) => /^[\w-]{43}$/m.exec(text) ?? []);
      return mailed ?? expect.fail(`There is no token for ${to}.`);
    }, PATIENTLY);
    await ask('customer', 'POST', `/v1/signups/${id}/verification`, { token });
    await signupHasStatus(id, 'trial');
  }

  /** While the warehouse works. */
  const ordersInTheWarehouse: (() => Promise<void>)[] = [
    async function delivered() {
      await deliver(await placeOrder('delivered'));
    },
    async function cancelledByTheCustomer() {
      const id = await placeOrder('cancelled');
      await hasStatus(id, 'fulfilling');
      await ask('customer', 'POST', `/v1/orders/${id}/cancellation`, { reason: `because of ${personal}wish` });
      await ends(id, 'cancelled');
    },
    async function refundedInVain() {
      const id = await placeOrder('refunded');
      await hasStatus(id, 'fulfilling');
      await act(`/v1/orders/${id}/cancellation`, because('staff'));
      await ends(id, 'cancelled');
      const [refund] = await shop.db
        .select({ id: refunds.providerRefundId })
        .from(refunds)
        .innerJoin(payments, eq(payments.id, refunds.paymentId))
        .where(eq(payments.orderId, id));
      await fetch(`${shop.payments.url}/_sandbox/refunds/${refund?.id}/failed`, { method: 'POST' });
      const failure = await failureOf(orderWorkflowId(id), 'refund');
      await onFailure(failure, 'retry', 'refundagain');
    },
    async function rejectedByTheWarehouse() {
      const id = await placeOrder('returned');
      await hasStatus(id, 'fulfilling');
      await carrier(id, 'rejected', { reason: `${personal}reasonwarehouse` });
      await ends(id, 'failed');
    },
    async function rejectedThenRestarted() {
      const id = await placeOrder('restarted', dear);
      await hasStatus(id, 'awaiting_approval');
      await act(`/v1/orders/${id}/approval`, { decision: 'reject', ...because('rejected') });
      await ends(id, 'failed');
      await act(`/v1/ops/orders/${id}/restart`, because('restart'));
      await hasStatus(id, 'awaiting_approval');
      await act(`/v1/orders/${id}/approval`, { decision: 'approve', ...because('approved') });
      await deliver(id, 2);
    },
    async function withoutMail() {
      const email = `bounce@${personal}email.example`;
      const id = await placeOrder('bounced', { customer: { email, name: `${personal}namebounced` } });
      const failure = await failureOf(orderWorkflowId(id), 'email');
      await deliver(id);
      await onFailure(failure, 'settlement', 'mail');
    },
    async function undeliverable() {
      await ends(await placeOrder('nowhere', nowhere('nowhere')), 'failed');
    },
  ];

  /** While the warehouse does not cancel. */
  async function settledByHand(): Promise<void> {
    shop.warehouse.faults.set({ mode: 'error_before', operation: 'POST /v1/shipments/:reference/cancellation' });
    const id = await placeOrder('settled', nowhere('settled'));
    const failure = await failureOf(orderWorkflowId(id), 'compensation');
    await onFailure(failure, 'settlement', 'byhand');
    await ends(id, 'failed');
    shop.heal();
  }

  /** While the warehouse is down. */
  async function parked(): Promise<void> {
    shop.warehouse.faults.set({ mode: 'down' });
    const [retried, cancelled, inBulk] = await Promise.all(['retried', 'given up', 'bulk'].map((end) => placeOrder(end.replace(' ', ''))));
    const [first = '', second = '', third] = await Promise.all(
      [retried, cancelled, inBulk].map((orderId = '') => failureOf(orderWorkflowId(orderId), 'step')),
    );
    shop.heal();
    await onFailure(first, 'retry', 'retry');
    await onFailure(second, 'cancel', 'giveup');
    await act('/v1/ops/bulk-actions', { action: 'retry', ids: [third], ...because('bulk') });
    await Promise.all([deliver(retried ?? ''), ends(cancelled ?? '', 'cancelled'), deliver(inBulk ?? '')]);
  }

  const others: (() => Promise<void>)[] = [
    async function approvedByNobody() {
      await ends(await placeOrder('unanswered', dear), 'failed');
    },
    async function declined() {
      await ends(await placeOrder('declined', { payment: { method: `pm_card_${personal}card` } }), 'failed');
    },
    async function soldOut() {
      await ends(await placeOrder('soldout', { items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }] }), 'failed');
    },
    async function subscribed() {
      const id = await signUp('subscribed');
      await verify(id, 'subscribed');
      await ask('customer', 'POST', `/v1/signups/${id}/subscription`);
      await signupEnds(id, 'subscribed');
    },
    async function trialEnds() {
      const id = await signUp('ended');
      await verify(id, 'ended');
      await signupEnds(id, 'ended');
    },
    async function expired() {
      await signupEnds(await signUp('expired'), 'expired');
    },
    async function signupWithoutMail() {
      const id = await signUp('unreached', `bounce@${personal}emailunreached.example`);
      const failure = await failureOf(signupWorkflowId(id), 'email');
      await onFailure(failure, 'retry', 'mailagain');
      await signupEnds(id, 'expired');
    },
    wrongRequests,
  ];

  /** Personal data in the wrong place. */
  async function wrongRequests(): Promise<void> {
    const order = orderOf('wrong');
    const { customer, shippingAddress } = order;
    const wrong = [
      { ...order, customer: { ...customer, email: `${personal}emailwrong` } },
      { ...order, customer: { ...customer, name: `https://${personal}namewrong.example` } },
      { ...order, customer: `${personal}namewrong` },
      { ...order, shippingAddress: { ...shippingAddress, country: `${personal}countrywrong` } },
      { ...order, shippingAddress: { ...shippingAddress, line1: `${personal}linewrong`.repeat(20) } },
      { ...order, payment: { method: `4242 ${personal}cardwrong` } },
      { ...order, items: [{ sku: 'TEA-EARL-GREY', quantity: `${personal}quantitywrong` }] },
      { ...order, items: [{ sku: 'TEA-UNKNOWN', quantity: 1 }] },
    ];
    for (const body of wrong) await refused('POST', '/v1/orders', body, { 'Idempotency-Key': crypto.randomUUID() });
    await refused('POST', '/v1/orders', order, { 'Idempotency-Key': `${personal}idempotencywrong`.repeat(20) });
    const id = await placeOrder('wrong', { items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }] });
    await refused('POST', '/v1/orders', orderOf('other'), { 'Idempotency-Key': `${personal}idempotencywrong` });
    const taken = await signUp('taken');
    await refused('POST', '/v1/signups', { email: `${personal}emailtaken@example.com`, name: `${personal}nametaken` }, { 'Idempotency-Key': 'taken' });
    await refused('POST', `/v1/signups/${taken}/verification`, { token: `${personal}token` });
    await ends(id, 'failed');
    await refused('POST', `/v1/orders/${id}/cancellation`, because('wrong'));
    await refused('POST', `/v1/orders/${id}/cancellation`, { reason: `${personal}reasonwrong`.repeat(100) });
    await refused('GET', `/v1/orders?status=${personal}query`);
    await refused('GET', `/v1/orders?cursor=${personal}query`);
    await send('GET', '/v1/orders', { key: `${personal}key` });
    await send('POST', '/v1/orders', { key: keys.customer, text: `{"customer": ${personal}json`, headers: { 'Idempotency-Key': 'json' } });
    await send('POST', '/v1/webhooks/warehouse', { text: JSON.stringify({ reason: `${personal}webhook` }) });
    await send('POST', '/v1/webhooks/stripe', { text: JSON.stringify({ reason: `${personal}webhook` }) });
    // The problem repeats the path to whoever sent it, so it is not kept here.
    for (const path of [`/v1/signups/${personal}path@example.com`, `/v1/orders/${personal}path`, `/${personal}path`]) {
      expect((await send('GET', path, { key: keys.customer })).status).toBe(404);
    }
    for (const path of ['/v1/ops/orders', '/v1/ops/signups']) {
      await ask('operator', 'GET', `${path}?email=${personal}emailwrong@example.com`);
    }
  }

  async function refused(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<void> {
    const { status } = await ask('customer', method, path, body, headers);
    expect({ path, isRefused: status >= 400 }).toEqual({ path, isRefused: true });
  }

  /** Does what another customer can do, to see what is not theirs. */
  async function lookAround(): Promise<void> {
    const order = { ...orderOf('stranger'), customer: { email: 'stranger@example.com', name: 'Stranger' } };
    const own = { ...order, shippingAddress: { ...order.shippingAddress, line1: 'Elsewhere 1', city: 'Elsewhere' } };
    // A key of another customer's. It is theirs alone.
    const id = await create('/v1/orders', 'delivered', own, 'stranger');
    const { rows } = await shop.db.$client.query<{ id: string }>('select id from orders where id <> $1 union select id from signups', [id]);
    for (const { id: other } of rows) {
      for (const path of [`/v1/orders/${other}`, `/v1/orders/${other}/saga`, `/v1/orders/${other}/events`, `/v1/signups/${other}`]) {
        expect((await ask('stranger', 'GET', path)).status).toBe(404);
      }
    }
    const email = `${personal}emailsubscribed@example.com`;
    await ask('stranger', 'POST', '/v1/signups', { email, name: 'Stranger' }, { 'Idempotency-Key': 'stranger' });
    for (const path of [`/v1/orders/${id}`, '/v1/orders', '/v1/products']) await ask('stranger', 'GET', path);
  }

  await Promise.all([concurrently(others), concurrently(ordersInTheWarehouse).then(settledByHand).then(parked)]);
  await lookAround();
  for (const path of ['orders', 'signups', 'failures', 'actions', 'bulk-actions', 'retrying', 'books', 'queues', 'schedules']) {
    await ask('operator', 'GET', `/v1/ops/${path}`);
  }
  return answers;
}
