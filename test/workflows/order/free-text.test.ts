import { eq } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { commands, orders } from '../../../src/db/schema.ts';
import { settleFailure } from '../../../src/operate/failures.ts';
import { readSteps } from '../../../src/queries/order-story.ts';
import { call, startTestApi } from '../../api/support/api.ts';
import { textOf } from '../../support/histories.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig();
const api = await startTestApi({ database: { url: rig.databaseUrl, drop: async () => {} } });
afterAll(() => api.close());

/** Stands for whatever a person or a service may write. */
const MARKER = 'Marmalade';
const REASON = `because of ${MARKER}`;

const CUSTOMER = 'bertha@example.com';
const customer = { customer: { email: CUSTOMER, name: 'Bertha Benz' } };
const NOWHERE = { line1: 'Nowhere 1', city: 'Nowhere', postalCode: '00000', country: 'GB' };

/** Lets the customer of the API own an order. */
const give = (orderId: string) => rig.db.update(orders).set({ owner: api.keys.customer.id }).where(eq(orders.id, orderId));

async function read(orderId: string, key: string): Promise<string> {
  const paths = [`/v1/orders/${orderId}`, `/v1/orders/${orderId}/saga`, '/v1/orders'];
  const answers = await Promise.all(paths.map((path) => call(api, 'GET', path, { key })));
  for (const { status } of answers) expect(status).toBe(200);
  return JSON.stringify(answers.map(({ body }) => body));
}

/** Expects that the marker is in no place that Temporal or the customer sees, and that an operator sees it. */
async function expectPrivate(orderId: string): Promise<void> {
  const run = rig.client.workflow.getHandle(orderWorkflowId(orderId));
  expect(textOf(await run.fetchHistory())).not.toContain(MARKER);
  expect(JSON.stringify((await run.describe()).raw)).not.toContain(MARKER);
  expect(JSON.stringify(await run.query('__temporal_workflow_metadata'))).not.toContain(MARKER);
  const stored = await rig.db.select({ body: commands.body }).from(commands).where(eq(commands.workflowId, run.workflowId));
  expect(JSON.stringify(stored)).not.toContain(MARKER);

  await give(orderId);
  expect(await read(orderId, api.keys.customer.key)).not.toContain(MARKER);
  const mails = rig.inbox.messages({ to: CUSTOMER }).filter(({ subject }) => subject.includes(orderId.slice(-8)));
  expect(mails.length).toBeGreaterThan(0);
  expect(JSON.stringify(mails)).not.toContain(MARKER);
}

const asOperator = (orderId: string) => read(orderId, api.keys.operator.key);

describe('a reason is in Postgres and for operators only', () => {
  it('when the customer cancels', async () => {
    const id = await rig.placeOrder(customer);
    await rig.orderStatus(id, 'fulfilling');
    await rig.cancel(id, REASON);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    await expectPrivate(id);
    expect(await asOperator(id)).toContain(REASON);
  });

  it('when an approver rejects the order', async () => {
    const id = await rig.placeOrder({ ...customer, items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] });
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.decide(id, 'reject', REASON);
    expect(await rig.endedBadly(id)).toBe('order_rejected');
    await expectPrivate(id);
    expect(await asOperator(id)).toContain(REASON);
  });

  it('when an approver approves the order, and the warehouse rejects the parcel', async () => {
    const id = await rig.placeOrder({ ...customer, items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] });
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.decide(id, 'approve', REASON);
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'rejected', { reason: REASON });
    expect(await rig.endedBadly(id)).toBe('shipment_rejected');
    await expectPrivate(id);
    expect(await asOperator(id)).toContain(REASON);
    expect(await readSteps(rig.db, id)).toContainEqual(expect.objectContaining({ step: 'approval', reason: REASON }));
  });

  it('when an operator retries and then cancels a parked order', async () => {
    rig.warehouse.faults.set({ mode: 'down' });
    const id = await rig.placeOrder(customer);
    await rig.parked(id);
    await rig.retry(id, REASON);
    await rig.orderStatus(id, 'charged');
    await rig.parked(id);
    rig.heal();
    await rig.giveUp(id, REASON);
    expect(await rig.endedBadly(id)).toBe('order_cancelled');
    await expectPrivate(id);
    expect(await rig.order(id)).toMatchObject({ failureMessage: REASON });
  });

  it('when an operator settles a compensation', async () => {
    rig.warehouse.faults.set({ mode: 'error_before', operation: 'POST /v1/shipments/:reference/cancellation' });
    const id = await rig.placeOrder({ ...customer, shippingAddress: NOWHERE });
    await rig.failure(id, { kind: 'compensation', step: 'ship', status: 'open' });
    const [failure] = await rig.failures(id);
    await settleFailure.perform(rig, failure?.id ?? '', { reason: REASON }, 'key:operator');
    await rig.deliver();
    expect(await rig.endedBadly(id)).toBe('invalid_address');
    await expectPrivate(id);
    expect(await readSteps(rig.db, id)).toContainEqual(
      expect.objectContaining({ step: 'ship', kind: 'compensation', reason: REASON, actor: 'key:operator' }),
    );
  });
});

describe('a customer', () => {
  it('reads a sentence about a technical problem, and an operator its details', async () => {
    rig.warehouse.faults.set({ mode: 'down' });
    const id = await rig.placeOrder(customer);
    await rig.parked(id);
    await give(id);
    const details = /No answer from the warehouse/;
    expect(await read(id, api.keys.customer.key)).not.toMatch(details);
    expect(await asOperator(id)).toMatch(details);
    const { body } = await call(api, 'GET', `/v1/orders/${id}`, { key: api.keys.customer.key });
    expect(body).toMatchObject({
      failure: { type: 'warehouse_unavailable', message: 'There is a technical problem, and we are working on it.', step: 'ship' },
    });
    rig.heal();
    await rig.cancel(id);
    await rig.endedBadly(id);
  });
});

describe('a message of an earlier version', () => {
  it('is understood without its reason', async () => {
    const id = await rig.placeOrder(customer);
    await rig.orderStatus(id, 'fulfilling');
    const run = rig.client.workflow.getHandle(orderWorkflowId(id));
    await run.signal('carrierUpdate', { generation: 1, type: 'rejected', carrier: '', trackingNumber: '', reason: REASON });
    expect(await rig.endedBadly(id)).toBe('shipment_rejected');
    expect(await rig.order(id)).toMatchObject({ failureMessage: 'The warehouse rejected the shipment.' });
  });
});
