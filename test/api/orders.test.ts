import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refuseCancellation } from '../../src/records/cancellations.ts';
import { setOrderStatus } from '../../src/records/order-status.ts';
import { commands, invoices, orders, payments, products, sagaSteps, shipments } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { openFailure } from '../../src/records/failures.ts';
import { call, freshKey, newOrder, placeOrder, startTestApi, type TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const asCustomer = () => ({ key: api.keys.customer.key });
const commandsFor = (id: string) =>
  api.db
    .select()
    .from(commands)
    .where(eq(commands.workflowId, `order/${id}`))
    .orderBy(commands.id);

describe('placing an order', () => {
  it('answers 202 with the order, priced from the catalogue', async () => {
    const { status, headers, body } = await call(api, 'POST', '/v1/orders', {
      ...asCustomer(),
      body: newOrder(),
      headers: freshKey(),
    });
    expect(status).toBe(202);
    expect(headers.get('Retry-After')).toBe('1');
    expect(headers.get('Idempotency-Replayed')).toBeNull();
    const { customer, shippingAddress } = newOrder();
    const id = headers.get('Location')?.replace('/v1/orders/', '') ?? '';
    expect(body).toEqual({
      id,
      status: 'accepted',
      total: { amount: 3680, currency: 'EUR' },
      items: [
        {
          sku: 'TEA-EARL-GREY',
          name: 'Earl Grey, 100 g',
          quantity: 2,
          unitPrice: { amount: 890, currency: 'EUR' },
        },
        { sku: 'CUP-PORCELAIN', name: 'Porcelain cup', quantity: 1, unitPrice: { amount: 1900, currency: 'EUR' } },
      ],
      customer,
      shippingAddress,
      payment: null,
      shipment: null,
      invoice: null,
      failure: null,
      cancellation: null,
      generation: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      updatedAt: expect.stringMatching(/Z$/),
      links: {
        self: `/v1/orders/${id}`,
        saga: `/v1/orders/${id}/saga`,
        events: `/v1/orders/${id}/events`,
        cancel: `/v1/orders/${id}/cancellation`,
        invoice: `/v1/orders/${id}/invoice`,
      },
    });
    expect((await call(api, 'GET', `/v1/orders/${id}`, asCustomer())).body).toEqual(body);
    expect((await commandsFor(id)).map((command) => command.body)).toEqual([
      { type: 'start_order', orderId: id, generation: 1, amount: 3680, currency: 'EUR', requestId: headers.get('X-Request-Id') },
    ]);
  });

  it('creates one order from ten duplicates sent at once', async () => {
    const request = { ...asCustomer(), body: newOrder(), headers: freshKey() };
    const before = await api.db.$count(orders);
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(api, 'POST', '/v1/orders', request)));
    expect(await api.db.$count(orders)).toBe(before + 1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get('Location'))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('Idempotency-Replayed') === 'true')).toHaveLength(9);
  });

  it('repeats the first answer, even if the order and the prices have changed since', async () => {
    const request = { ...asCustomer(), body: newOrder(), headers: freshKey() };
    const first = await call(api, 'POST', '/v1/orders', request);
    const orderId = String(first.headers.get('Location')).replace('/v1/orders/', '');
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId, generation: 1 }, 'completed'));
    await api.db.update(products).set({ active: false }).where(eq(products.sku, 'CUP-PORCELAIN'));
    const again = await call(api, 'POST', '/v1/orders', request);
    await api.db.update(products).set({ active: true }).where(eq(products.sku, 'CUP-PORCELAIN'));
    expect(again.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('accepts the same fields in another order as the same request', async () => {
    const headers = freshKey();
    const { customer, ...rest } = newOrder();
    await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: { customer, ...rest }, headers });
    const again = await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: { ...rest, customer }, headers });
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('refuses a key that the same caller used for another request', async () => {
    const headers = freshKey();
    await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: newOrder(), headers });
    const other = { ...newOrder(), items: [{ sku: 'TEA-SENCHA', quantity: 1 }] };
    const refused = await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: other, headers });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ type: 'urn:holdfast:problem:idempotency-key-reused' });
    const stranger = await call(api, 'POST', '/v1/orders', { key: api.keys.stranger.key, body: other, headers });
    expect(stranger.status).toBe(202);
  });

  it('does not use up the key of a refused request', async () => {
    const headers = freshKey();
    const wrong = { ...newOrder(), items: [{ sku: 'NO-SUCH-TEA', quantity: 1 }] };
    expect((await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: wrong, headers })).status).toBe(422);
    expect((await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: newOrder(), headers })).status).toBe(202);
  });

  it.each([
    ['missing', {}],
    ['empty', { 'Idempotency-Key': '' }],
    ['too long', { 'Idempotency-Key': 'k'.repeat(256) }],
    ['not visible ASCII', { 'Idempotency-Key': 'a b' }],
  ])('refuses an Idempotency-Key that is %s', async (_, headers) => {
    const { status, body } = await call(api, 'POST', '/v1/orders', { ...asCustomer(), body: newOrder(), headers });
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ in: 'header', pointer: '/Idempotency-Key' }] });
  });

  const tea = { sku: 'TEA-SENCHA', quantity: 1 };
  it.each([
    ['an unknown product', { items: [tea, { sku: 'NO-SUCH-TEA', quantity: 1 }] }, '/items/1/sku'],
    ['a product twice', { items: [tea, tea] }, '/items/1/sku'],
    ['no items', { items: [] }, '/items'],
    ['51 items', { items: Array.from({ length: 51 }, () => tea) }, '/items'],
    ['a quantity of 0', { items: [{ ...tea, quantity: 0 }] }, '/items/0/quantity'],
    ['a quantity of 1001', { items: [{ ...tea, quantity: 1001 }] }, '/items/0/quantity'],
    ['a broken quantity', { items: [{ ...tea, quantity: 1.5 }] }, '/items/0/quantity'],
    ['a price', { items: [{ ...tea, unitPrice: 1 }] }, '/items/0/unitPrice'],
    ['an unknown field', { note: 'hello' }, '/note'],
    ['no email', { customer: { email: 'ada', name: 'Ada' } }, '/customer/email'],
    ['a blank name', { customer: { email: 'ada@example.com', name: ' ' } }, '/customer/name'],
    ['a name of two lines', { customer: { email: 'ada@example.com', name: 'A\nB' } }, '/customer/name'],
    ['a name with a zero byte', { customer: { email: 'ada@example.com', name: 'A\u0000' } }, '/customer/name'],
    ['a name with half a character', { customer: { email: 'ada@example.com', name: '\ud800' } }, '/customer/name'],
    ['a name that cannot be seen', { customer: { email: 'ada@example.com', name: '\u200b\u2060' } }, '/customer/name'],
    ['a name with a link', { customer: { email: 'ada@example.com', name: 'see http://evil.example' } }, '/customer/name'],
    ['a long name', { customer: { email: 'ada@example.com', name: 'A'.repeat(201) } }, '/customer/name'],
    [
      'an unknown country',
      { shippingAddress: { line1: 'a', city: 'b', postalCode: 'c', country: 'XX' } },
      '/shippingAddress/country',
    ],
    [
      'a country in small letters',
      { shippingAddress: { line1: 'a', city: 'b', postalCode: 'c', country: 'de' } },
      '/shippingAddress/country',
    ],
    ['a card number', { payment: { method: '4242424242424242' } }, '/payment/method'],
  ])('refuses %s and names the field', async (_, change, pointer) => {
    const { status, headers, body } = await call(api, 'POST', '/v1/orders', {
      ...asCustomer(),
      body: { ...newOrder(), ...change },
      headers: freshKey(),
    });
    expect(status).toBe(422);
    expect(headers.get('Content-Type')).toBe('application/problem+json');
    expect(body).toMatchObject({ status: 422, errors: expect.arrayContaining([expect.objectContaining({ pointer })]) });
  });

  it('refuses a total that is too large', async () => {
    await api.db.insert(products).values({ sku: 'SAMOVAR-GOLD', name: 'Gold', amount: 2_000_000_000, currency: 'EUR' });
    const { status, body } = await call(api, 'POST', '/v1/orders', {
      ...asCustomer(),
      body: { ...newOrder(), items: [{ sku: 'SAMOVAR-GOLD', quantity: 2 }] },
      headers: freshKey(),
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:total-too-large' });
  });

  it('refuses items of two currencies', async () => {
    await api.db.insert(products).values({ sku: 'TEA-USD', name: 'Iced tea', amount: 500, currency: 'USD' });
    const items = [tea, { sku: 'TEA-USD', quantity: 1 }];
    const { status, body } = await call(api, 'POST', '/v1/orders', {
      ...asCustomer(),
      body: { ...newOrder(), items },
      headers: freshKey(),
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:mixed-currencies', errors: [{ pointer: '/items/1/sku' }] });
  });
});

const page = z.object({ data: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() });

/** Reads one page of a list. */
async function ids(path: string, key: string) {
  const { body } = await call(api, 'GET', path, { key });
  const { data, nextCursor } = page.parse(body);
  return { all: data.map(({ id }) => id), next: nextCursor };
}

describe('reading orders', () => {
  it('shows payment, shipment, invoice and events of the current generation', async () => {
    const orderId = await placeOrder(api);
    const ref = { orderId, generation: 1 };
    const at = new Date('2026-11-23T10:00:00Z');
    await transaction(api.db, async (tx) => {
      await tx.insert(payments).values({
        id: orderId,
        ...ref,
        state: 'captured',
        amount: 3680,
        currency: 'EUR',
        captured: 3680,
        capturedAt: at,
      });
      await tx.insert(shipments).values({
        ...ref,
        state: 'shipped',
        warehouseId: 'w1',
        carrier: 'DHL',
        trackingNumber: 'T1',
        acceptedAt: at,
        shippedAt: at,
      });
      await tx
        .insert(invoices)
        .values({ number: 7, ...ref, amount: 3680, currency: 'EUR', pdf: Buffer.from('%PDF-1.7'), issuedAt: at });
      await tx.insert(sagaSteps).values([
        { ...ref, step: 'reserve', kind: 'step', state: 'done', attempts: 1, startedAt: at, finishedAt: at },
        {
          ...ref,
          step: 'charge',
          kind: 'step',
          state: 'retrying',
          attempts: 2,
          errorType: 'payment_unavailable',
          errorMessage: 'no answer',
          startedAt: new Date(at.getTime() + 1),
        },
      ]);
      await setOrderStatus(tx, ref, 'shipped');
    });

    const order = await call(api, 'GET', `/v1/orders/${orderId}`, asCustomer());
    expect(order.body).toMatchObject({
      status: 'shipped',
      payment: { status: 'captured', captured: 3680, refunded: 0, currency: 'EUR', capturedAt: at.toISOString() },
      shipment: { status: 'shipped', carrier: 'DHL', trackingNumber: 'T1', deliveredAt: null },
      invoice: { number: 7, href: `/v1/orders/${orderId}/invoice`, voidedAt: null },
      failure: null,
    });
    const saga = await call(api, 'GET', `/v1/orders/${orderId}/saga`, asCustomer());
    expect(saga.body).toEqual({
      data: [
        {
          step: 'reserve',
          kind: 'step',
          state: 'done',
          attempts: 1,
          error: null,
          startedAt: at.toISOString(),
          finishedAt: at.toISOString(),
          generation: 1,
          // There is no record of its attempts: its row says when it began and ended.
          events: [
            { attempt: 1, type: 'started', at: at.toISOString(), durationMs: null, error: null, worker: null },
            { attempt: 1, type: 'done', at: at.toISOString(), durationMs: null, error: null, worker: null },
          ],
        },
        expect.objectContaining({
          step: 'charge',
          state: 'retrying',
          error: { type: 'payment_unavailable', message: 'There is a technical problem, and we are working on it.' },
          finishedAt: null,
        }),
      ],
    });
    const pdf = await call(api, 'GET', `/v1/orders/${orderId}/invoice`, asCustomer());
    expect(pdf.headers.get('Content-Type')).toBe('application/pdf');
    expect(pdf.headers.get('Content-Disposition')).toBe('inline; filename="invoice-000007.pdf"');
    expect(pdf.body).toBe('%PDF-1.7');
  });

  it('shows the open failure of an order that needs attention', async () => {
    const orderId = await placeOrder(api);
    await transaction(api.db, async (tx) => {
      const about = { workflowId: `order/${orderId}`, orderId, generation: 1, attempts: 4 };
      await openFailure(tx, {
        ...about,
        kind: 'step',
        step: 'ship',
        errorType: 'warehouse_unavailable',
        errorMessage: 'HTTP 503',
      });
      await openFailure(tx, {
        ...about,
        kind: 'email',
        step: 'order_confirmation',
        errorType: 'email_unavailable',
        errorMessage: 'down',
      });
      await setOrderStatus(tx, { orderId, generation: 1 }, 'needs_attention');
    });
    const read = async (key: string) => (await call(api, 'GET', `/v1/orders/${orderId}`, { key })).body;
    const failure = { type: 'warehouse_unavailable', step: 'ship' };
    expect(await read(api.keys.customer.key)).toMatchObject({
      failure: { ...failure, message: 'There is a technical problem, and we are working on it.' },
    });
    expect(await read(api.keys.support.key)).toMatchObject({ failure: { ...failure, message: 'HTTP 503' } });
  });

  it('shows why an order ended', async () => {
    const orderId = await placeOrder(api);
    await transaction(api.db, (tx) =>
      setOrderStatus(tx, { orderId, generation: 1 }, 'failed', {
        failureType: 'card_declined',
        failureMessage: 'The card was declined (insufficient_funds).',
      }),
    );
    const { body } = await call(api, 'GET', `/v1/orders/${orderId}`, asCustomer());
    expect(body).toMatchObject({ failure: { type: 'card_declined', message: 'The payment was declined.' } });
  });

  it('renders an invoice when it is asked for, the same each time', async () => {
    const orderId = await placeOrder(api);
    const issuedAt = new Date('2026-11-23T10:00:00Z');
    await api.db.insert(invoices).values({ number: 9, orderId, generation: 1, amount: 3680, currency: 'EUR', issuedAt });
    const read = () => call(api, 'GET', `/v1/orders/${orderId}/invoice`, asCustomer());
    const { status, body } = await read();
    expect(status).toBe(200);
    expect(body).toMatch(/^%PDF-1[^]*%%EOF\s*$/);
    expect(body).toContain('Invoice 000009');
    expect((await read()).body).toBe(body);
  });

  it('hides the invoices of other customers', async () => {
    const orderId = await placeOrder(api);
    await api.db.insert(invoices).values({ number: 8, orderId, generation: 1, amount: 3680, currency: 'EUR' });
    const status = async (key: string) => (await call(api, 'GET', `/v1/orders/${orderId}/invoice`, { key })).status;
    expect(await status(api.keys.stranger.key)).toBe(404);
    expect(await status(api.keys.support.key)).toBe(200);
  });

  it('answers 404 before the invoice is written', async () => {
    const id = await placeOrder(api);
    expect((await call(api, 'GET', `/v1/orders/${id}/invoice`, asCustomer())).status).toBe(404);
  });

  it('tells staff where the run of an order is, and not its customer', async () => {
    const id = await placeOrder(api);
    const readAs = async (key: string) => (await call(api, 'GET', `/v1/orders/${id}`, { key })).body;
    expect(await readAs(api.keys.support.key)).toMatchObject({
      links: { workflow: `http://ui.test/namespaces/default/workflows/order%2F${id}` },
    });
    expect(JSON.stringify(await readAs(api.keys.customer.key))).not.toContain('ui.test');
  });

  it.each(['', '/saga', '/events'])('hides %s of others from a customer, and shows it to support', async (part) => {
    const id = await placeOrder(api);
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId: id, generation: 1 }, 'completed'));
    const path = `/v1/orders/${id}${part}`;
    expect((await call(api, 'GET', path, { key: api.keys.stranger.key })).status).toBe(404);
    expect((await call(api, 'GET', path, { key: api.keys.support.key })).status).toBe(200);
  });

  it('lists the caller’s own orders by status, newest first, in pages', async () => {
    const own = { key: api.keys.stranger.key };
    const place = async () => {
      const { headers } = await call(api, 'POST', '/v1/orders', { ...own, body: newOrder(), headers: freshKey() });
      return String(headers.get('Location')).replace('/v1/orders/', '');
    };
    const before = await ids('/v1/orders?limit=100', own.key);
    const placed = [await place(), await place(), await place()].toReversed();
    const [newest = '', middle, oldest] = placed;

    expect((await ids('/v1/orders?limit=100', own.key)).all).toEqual([...placed, ...before.all]);
    const first = await ids('/v1/orders?limit=2', own.key);
    expect(first.all).toEqual([newest, middle]);
    const second = await ids(`/v1/orders?limit=1&cursor=${first.next}`, own.key);
    expect(second.all).toEqual([oldest]);

    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId: newest, generation: 1 }, 'awaiting_approval'));
    const waiting = await ids('/v1/orders?status=awaiting_approval', own.key);
    expect(waiting).toEqual({ all: [newest], next: null });
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'limit=0x10', 'limit=', 'limit=1e1', 'cursor=nonsense', 'status=lost', 'page=2'])(
    'refuses ?%s',
    async (query) => {
      const { status, body } = await call(api, 'GET', `/v1/orders?${query}`, asCustomer());
      expect(status).toBe(422);
      expect(body).toMatchObject({ errors: [{ in: 'query', pointer: `/${query.split('=')[0]}` }] });
    },
  );
});

const cancel = (id: string, key = api.keys.customer.key) =>
  call(api, 'POST', `/v1/orders/${id}/cancellation`, { key, body: { reason: 'changed my mind' } });

describe('cancelling an order', () => {

  it('signals the workflow once, however often it is requested', async () => {
    const id = await placeOrder(api);
    const first = await cancel(id);
    expect(first.status).toBe(202);
    expect(first.headers.get('Location')).toBe(`/v1/orders/${id}`);
    expect((await cancel(id)).status).toBe(202);
    expect((await commandsFor(id)).map(({ body }) => body)).toEqual([
      expect.objectContaining({ type: 'start_order' }),
      {
        type: 'cancel_order',
        orderId: id,
        message: { actor: `key:${api.keys.customer.id}` },
      },
    ]);
  });

  it('keeps who requested it, beyond the command', async () => {
    const id = await placeOrder(api);
    await cancel(id);
    await api.db.delete(commands).where(eq(commands.workflowId, `order/${id}`));
    const { body } = await call(api, 'GET', `/v1/ops/orders/${id}`, { key: api.keys.operator.key });
    expect(body).toMatchObject({ cancellationReason: 'changed my mind', cancellationActor: `key:${api.keys.customer.id}`, commands: [] });
  });

  it('shows how it stands, from the request to its outcome', async () => {
    const id = await placeOrder(api);
    const read = async (key = api.keys.customer.key) => (await call(api, 'GET', `/v1/orders/${id}`, { key })).body;
    expect(await read()).toMatchObject({ cancellation: null });
    const requested = { status: 'requested', reason: 'changed my mind', requestedAt: expect.any(String) as unknown, settledAt: null };
    expect((await cancel(id)).body).toMatchObject({ cancellation: requested });
    await refuseCancellation(api.db, { orderId: id, generation: 1 });
    const refused = { ...requested, status: 'refused', settledAt: expect.any(String) as unknown };
    expect(await read()).toMatchObject({ status: 'accepted', cancellation: refused });
    expect(await read(api.keys.support.key)).toMatchObject({ cancellation: refused });
    const again = await cancel(id);
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      type: 'urn:holdfast:problem:order-not-cancellable',
      detail: 'The parcel has left the warehouse, so the order can no longer be cancelled.',
    });
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId: id, generation: 1 }, 'completed'));
    expect(await read()).toMatchObject({ status: 'completed', cancellation: refused });
  });

  it('keeps the reason of staff from the customer', async () => {
    const id = await placeOrder(api);
    await cancel(id, api.keys.support.key);
    const read = async (key: string) => (await call(api, 'GET', `/v1/orders/${id}`, { key })).body;
    expect(await read(api.keys.customer.key)).toMatchObject({ cancellation: { status: 'requested', reason: null } });
    expect(await read(api.keys.support.key)).toMatchObject({ cancellation: { reason: 'changed my mind' } });
  });

  it('is asked for again if an operator has given up the command, and is heard once', async () => {
    const id = await placeOrder(api);
    await cancel(id);
    await api.db.update(commands).set({ state: 'discarded' }).where(eq(commands.workflowId, `order/${id}`));
    expect((await cancel(id)).status).toBe(202);
    expect((await cancel(id)).status).toBe(202);
    const sent = await commandsFor(id);
    expect(sent.filter(({ state }) => state === 'pending')).toMatchObject([{ body: { type: 'cancel_order' } }]);
  });

  it.each(['shipped', 'completed', 'failed', 'compensating'] as const)('is too late once it is %s', async (status) => {
    const orderId = await placeOrder(api);
    await transaction(api.db, (tx) => setOrderStatus(tx, { orderId, generation: 1 }, status));
    const answer = await cancel(orderId);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ type: 'urn:holdfast:problem:order-not-cancellable' });
  });

  it('is allowed to the owner only', async () => {
    const id = await placeOrder(api);
    expect((await cancel(id, api.keys.stranger.key)).status).toBe(404);
  });
});

const decide = (id: string, key: string, decision = 'approve') =>
  call(api, 'POST', `/v1/orders/${id}/approval`, { key, body: { decision, reason: 'a known customer' } });
const awaiting = async (placedBy: 'customer' | 'support' = 'customer') => {
  const orderId = await placeOrder(api, newOrder(), api.keys[placedBy].key);
  await transaction(api.db, (tx) => setOrderStatus(tx, { orderId, generation: 1 }, 'awaiting_approval'));
  return orderId;
};

describe('deciding on an order', () => {

  it('accepts the first decision and refuses the next', async () => {
    const id = await awaiting();
    expect((await decide(id, api.keys.support.key)).status).toBe(202);
    expect((await decide(id, api.keys.operator.key, 'reject')).status).toBe(409);
    expect((await commandsFor(id)).at(-1)?.body).toEqual({
      type: 'decide_approval',
      orderId: id,
      message: { decision: 'approve', actor: `key:${api.keys.support.id}` },
    });
  });

  it('is not allowed to customers, even for their own orders', async () => {
    expect((await decide(await awaiting(), api.keys.customer.key)).status).toBe(403);
  });

  it('cannot approve an order of its own, and may reject or cancel it', async () => {
    const [kept, rejected, cancelled] = [await awaiting('support'), await awaiting('support'), await awaiting('support')];
    const { key } = api.keys.support;
    const { status, body } = await decide(kept, key);
    expect(status).toBe(403);
    expect(body).toMatchObject({ type: 'urn:holdfast:problem:own-order' });
    expect((await decide(rejected, key, 'reject')).status).toBe(202);
    expect((await cancel(cancelled, key)).status).toBe(202);
    expect((await decide(kept, api.keys.operator.key)).status).toBe(202);
  });

  it('refuses an order that is not waiting for approval', async () => {
    expect((await decide(await placeOrder(api), api.keys.support.key)).status).toBe(409);
  });

  it('refuses an unknown decision', async () => {
    expect((await decide(await awaiting(), api.keys.support.key, 'maybe')).status).toBe(422);
  });
});
