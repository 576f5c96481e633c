import { eq } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bulkActionWorkflowId, orderWorkflowId, signupWorkflowId } from '../../src/contracts/ids.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';
import { commands, orders, verificationTokens } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { openFailure } from '../../src/records/failures.ts';
import { newToken } from '../../src/records/tokens.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { call, freshKey, placeOrder, placeSignup, startTestApi, WEBHOOK_SECRET, type TestApi } from './support/api.ts';

const temporal = await useNamespace();
const shop = await useShop();
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ database: { url: shop.database.url, drop: async () => {} } });
});
afterAll(() => api.close());

/** @returns the id of a new order in this status, whose run has been started */
async function orderIn(status: OrderStatus): Promise<string> {
  const id = await placeOrder(api);
  await shop.db.update(orders).set({ status }).where(eq(orders.id, id));
  await deliver();
  return id;
}

async function deliver(): Promise<void> {
  await shop.dispatcher(temporal.client).drain();
  expect(await shop.db.$count(commands, eq(commands.state, 'delivered'))).toBe(await shop.db.$count(commands));
}

/** @returns the names of the signals that a run has received */
async function signals(workflowId: string): Promise<string[]> {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
}

const parkOn = (orderId: string) =>
  transaction(shop.db, (tx) =>
    openFailure(tx, {
      kind: 'step',
      workflowId: orderWorkflowId(orderId),
      orderId,
      generation: 1,
      step: 'ship',
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
      attempts: 4,
    }),
  );

/** Sends a request of an operator, which must be accepted. */
async function ask(path: string, body: object): Promise<unknown> {
  const answer = await call(api, 'POST', path, { key: api.keys.operator.key, body, headers: freshKey() });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

/** Clients may write ids in capitals: Postgres finds the row, and the run must be found as well. */
describe('a request whose id is in capitals reaches the run when it', () => {
  it('cancels an order', async () => {
    const id = await orderIn('charged');
    const key = api.keys.customer.key;
    const path = `/v1/orders/${id.toUpperCase()}/cancellation`;
    expect(await call(api, 'POST', path, { key, body: { reason: 'enough' } })).toMatchObject({ status: 202, body: { id } });
    await deliver();
    expect(await signals(orderWorkflowId(id))).toEqual(['cancelOrder']);
  });

  it('decides an approval', async () => {
    const id = await orderIn('awaiting_approval');
    await ask(`/v1/orders/${id.toUpperCase()}/approval`, { decision: 'approve', reason: 'known' });
    await deliver();
    expect(await signals(orderWorkflowId(id))).toEqual(['decideApproval']);
  });

  it('retries a parked order', async () => {
    const id = await orderIn('needs_attention');
    const { failureId } = await parkOn(id);
    await ask(`/v1/ops/failures/${failureId.toUpperCase()}/retry`, { reason: 'it is back' });
    await deliver();
    expect(await signals(orderWorkflowId(id))).toEqual(['resolveFailure']);
  });

  it('restarts a failed order', async () => {
    const id = await orderIn('failed');
    await temporal.client.workflow.getHandle(orderWorkflowId(id)).terminate('for the test');
    await ask(`/v1/ops/orders/${id.toUpperCase()}/restart`, { reason: 'a better card' });
    await deliver();
    const { memo } = await temporal.client.workflow.getHandle(orderWorkflowId(id)).describe();
    expect(memo).toMatchObject({ generation: 2 });
  });

  it('verifies a signup', async () => {
    const id = await placeSignup(api, 'ada@example.com');
    const { token, hash } = newToken();
    await shop.db.insert(verificationTokens).values({ hash, signupId: id });
    const path = `/v1/signups/${id.toUpperCase()}/verification`;
    expect(await call(api, 'POST', path, { body: { token } })).toMatchObject({ status: 202, body: { id } });
    await deliver();
    expect(await signals(signupWorkflowId(id))).toEqual(['verified']);
  });

  it('starts a bulk action on failures, and pauses it', async () => {
    const { failureId } = await parkOn(await orderIn('needs_attention'));
    const ids = [failureId, failureId.toUpperCase()];
    const started = await ask('/v1/ops/bulk-actions', { action: 'retry', ids, reason: 'all back' });
    expect(started).toMatchObject({ ids: 2, progress: { total: 1 } });
    const id = String(Object(started).id);
    await ask(`/v1/ops/bulk-actions/${id.toUpperCase()}/pause`, { reason: 'wait' });
    await deliver();
    expect(await signals(bulkActionWorkflowId(id))).toEqual(['replayChanged']);
  });

  it('reports a parcel', async () => {
    const orderId = await orderIn('fulfilling');
    const event = {
      type: 'shipment.shipped',
      data: { reference: `order:${orderId.toUpperCase()}:1`, carrier: 'DHL', trackingNumber: 'T1' },
    };
    const [id, at, text] = ['evt_capitals', new Date(), JSON.stringify(event)];
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(WEBHOOK_SECRET).sign(id, at, text),
    };
    expect((await call(api, 'POST', '/v1/webhooks/warehouse', { text, headers })).status).toBe(202);
    await deliver();
    expect(await signals(orderWorkflowId(orderId))).toEqual(['carrierUpdate']);
  });
});
