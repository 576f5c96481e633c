import { randomBytes } from 'node:crypto';
import { asc, eq } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, orders, webhookEvents } from '../../src/db/schema.ts';
import { call, OLD_WEBHOOK_SECRET, placeOrder, startTestApi, WEBHOOK_SECRET, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

let serial = 0;
/** Sends an event as the warehouse does. */
function send(event: unknown, { secret = WEBHOOK_SECRET, at = new Date(), id = `evt_${(serial += 1)}`, tamper = '' } = {}) {
  const text = JSON.stringify(event);
  return call(api, 'POST', '/v1/webhooks/warehouse', {
    text: text + tamper,
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, text),
    },
  });
}
const shipped = (orderId: string, generation = 1) => ({
  type: 'shipment.shipped',
  timestamp: new Date().toISOString(),
  data: { reference: `order:${orderId}:${generation}`, carrier: 'DHL', trackingNumber: 'T1' },
});
const commandsFor = async (orderId: string) => {
  const rows = await api.db
    .select()
    .from(commands)
    .where(eq(commands.workflowId, `order/${orderId}`))
    .orderBy(asc(commands.id));
  return rows.slice(1).map(({ body }) => body);
};

describe('the warehouse', () => {
  it('signals an order what happened to its parcel', async () => {
    const orderId = await placeOrder(api);
    expect((await send(shipped(orderId))).status).toBe(202);
    const rejected = { reference: `order:${orderId}:1`, reason: 'address unknown' };
    expect((await send({ type: 'shipment.rejected', data: rejected })).status).toBe(202);
    expect(await commandsFor(orderId)).toEqual([
      {
        type: 'update_shipment',
        orderId,
        message: { generation: 1, type: 'shipped', carrier: 'DHL', trackingNumber: 'T1' },
      },
      {
        type: 'update_shipment',
        orderId,
        message: { generation: 1, type: 'rejected', carrier: '', trackingNumber: '' },
      },
    ]);
    const [order] = await api.db.select().from(orders).where(eq(orders.id, orderId));
    expect(order).toMatchObject({ shipmentRejectionReason: 'address unknown' });
  });

  it('is processed once per event, however often it sends it', async () => {
    const orderId = await placeOrder(api);
    const id = 'evt_repeated';
    const answers = await Promise.all([1, 2, 3].map(() => send(shipped(orderId), { id })));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(await commandsFor(orderId)).toHaveLength(1);
  });

  it.each([
    ['an unknown order', 'order:0197d0a0-0000-7000-8000-000000000000:1'],
    ['something that cannot be an id', `order:${'-'.repeat(36)}:1`],
    ['another shop', 'invoice-12'],
  ])('may refer to %s', async (_, reference) => {
    const before = await api.db.$count(commands);
    const id = `evt_${(serial += 1)}`;
    const event = { type: 'shipment.shipped', data: { reference, carrier: 'DHL', trackingNumber: 'T1' } };
    expect((await send(event, { id })).status).toBe(202);
    expect(await api.db.$count(webhookEvents, eq(webhookEvents.eventId, id))).toBe(1);
    expect(await api.db.$count(commands)).toBe(before);
  });

  it.each([['a generation that has not started', 2], ['an impossible generation', 0]])('may refer to %s', async (_, generation) => {
    const orderId = await placeOrder(api);
    expect((await send(shipped(orderId, generation))).status).toBe(202);
    expect(await commandsFor(orderId)).toEqual([]);
  });

  it('may send events that no order needs', async () => {
    const orderId = await placeOrder(api);
    expect((await send({ ...shipped(orderId), type: 'constructor' })).status).toBe(202);
    expect(await commandsFor(orderId)).toEqual([]);
  });

  it('must send a complete event', async () => {
    const { status, body } = await send({ type: 'shipment.shipped', data: {} });
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/data/reference' }] });
  });

  it('must send an id that can be stored', async () => {
    const orderId = await placeOrder(api);
    for (const id of [randomBytes(3_000).toString('hex'), 'evt\u00e9']) {
      const { status, body } = await send(shipped(orderId), { id });
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ in: 'header', pointer: '/webhook-id' }] });
    }
    expect(await commandsFor(orderId)).toEqual([]);
  });

  const other = `whsec_${Buffer.from('another secret, equally long').toString('base64')}`;
  it.each([
    ['signs with another secret', { secret: other }],
    ['sends an event that was signed 6 minutes ago', { at: new Date(Date.now() - 360_000) }],
    ['sends an event from the future', { at: new Date(Date.now() + 360_000) }],
    ['changes the body after signing', { tamper: ' ' }],
  ])('is not believed when it %s', async (_, how) => {
    const orderId = await placeOrder(api);
    const { status, body } = await send(shipped(orderId), how);
    expect(status).toBe(401);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:invalid-signature' });
    expect(await commandsFor(orderId)).toEqual([]);
  });

  it('may still sign with the old secret while it is rotated', async () => {
    const orderId = await placeOrder(api);
    expect((await send(shipped(orderId), { secret: OLD_WEBHOOK_SECRET })).status).toBe(202);
    expect(await commandsFor(orderId)).toHaveLength(1);
  });

  it('is refused without a valid signature', async () => {
    const orderId = await placeOrder(api);
    expect((await call(api, 'POST', '/v1/webhooks/warehouse', { body: shipped(orderId) })).status).toBe(401);
  });
});
