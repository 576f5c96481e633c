import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPayloadKeys } from '../../../src/config.ts';
import { OrderLinks } from '../../../src/customer-links.ts';
import { commands, orders, payments, shipments } from '../../../src/db/schema.ts';
import type { OrderStatus } from '../../../src/contracts/statuses.ts';
import { refuseCancellation } from '../../../src/records/cancellations.ts';
import { keepLog } from '../../support/kept-log.ts';
import { PAYLOAD_KEYS } from '../../support/payloads.ts';
import { newOrder, placeOrder, startTestApi, type TestApi } from '../support/api.ts';

const { log, lines } = keepLog('info');
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ log, environment: { RATE_LIMIT: '30' } });
});
afterAll(() => api.close());

const links = new OrderLinks('', loadPayloadKeys({ PAYLOAD_KEYS }));

/** @returns the page behind a link */
async function open(path: string, method = 'GET') {
  const response = await fetch(`${api.url}${path}`, { method, redirect: 'manual' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function ordered(status: OrderStatus = 'accepted') {
  const id = await placeOrder(api);
  await api.db.update(orders).set({ status }).where(eq(orders.id, id));
  return { id, link: links.to(id) ?? '' };
}

const cancellations = (id: string) => api.db.$count(commands, eq(commands.workflowId, `order/${id}`)).then((count) => count - 1);

describe('the page of an order', () => {
  it('says in plain words what became of it, without a key', async () => {
    const { id, link } = await ordered('shipped');
    const at = new Date('2026-11-24T08:00:00Z');
    await api.db.insert(payments).values({
      id,
      orderId: id,
      generation: 1,
      state: 'captured',
      amount: 3_680,
      captured: 3_680,
      currency: 'EUR',
      capturedAt: at,
    });
    await api.db.insert(shipments).values({
      orderId: id,
      generation: 1,
      state: 'shipped',
      warehouseId: 'wh_1',
      carrier: 'Parcel Post',
      trackingNumber: 'PP 4711',
      acceptedAt: at,
      shippedAt: at,
    });
    const { status, text } = await open(link);
    expect(status).toBe(200);
    expect(text).toContain(`Your order ${id.slice(-8)}`);
    expect(text).toContain('Your parcel is on its way.');
    // In the time zone of the shop, which may not be the customer's.
    expect(text).toMatch(/On its way <time[^>]*>24 November 2026 at 09:00 CET</);
    expect(text).toMatch(/Delivered <span[^>]*>not yet/);
    expect(text).toContain('Parcel Post, tracking number PP 4711');
    expect(text).toContain('2 × Earl Grey');
    expect(text).toContain('€36.80');
  });

  it('does not announce steps of an order that was cancelled', async () => {
    const { link } = await ordered('cancelled');
    const { text } = await open(link);
    expect(text).toContain('Your order has been cancelled.');
    expect(text).not.toContain('not yet');
  });

  it('holds nothing about the person, and is neither stored, indexed nor told to others', async () => {
    const { link } = await ordered();
    const { text, headers } = await open(link);
    const { customer, shippingAddress } = newOrder();
    for (const personal of [customer.email, customer.name, shippingAddress.line1, shippingAddress.postalCode, 'pm_card']) {
      expect(text).not.toContain(personal);
    }
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(headers.get('Set-Cookie')).toBeNull();
    expect(lines.join('')).not.toContain(link.split('/').at(-1));
  });

  it('is a plain 404 for a link that is wrong, altered, or of another order, and guessing ends soon', async () => {
    const [{ link }, other] = [await ordered(), await ordered()];
    const signature = link.split('/').at(-1);
    const unknown = links.to('0197d0a0-0000-7000-8000-000000000000') ?? '';
    const wrong = [`${link}A`, link.slice(0, -1), `/my/orders/${other.id}/${signature}`, `/my/orders/seven/${signature}`, unknown];
    for (const path of wrong) {
      for (const method of ['GET', 'POST']) {
        const { status, text } = await open(method === 'POST' ? `${path}/cancel` : path, method);
        expect({ path, status }).toEqual({ path, status: 404 });
        expect(text).toContain('<h1>This link does not work</h1>');
      }
    }
    expect((await open(`${link}A/cancel`)).status).toBe(404);
    expect(await cancellations(other.id)).toBe(0);
    const answers: number[] = [];
    for (let tries = 0; tries < 20; tries += 1) answers.push((await open(`${link}A`)).status);
    expect(answers.at(-1)).toBe(429);
    // The right link still works: otherwise a guesser could lock out the customer at the same address.
    expect((await open(link)).status).toBe(200);
  });

  it('is limited per order, however right the link is', async () => {
    const { link } = await ordered();
    const answers = await Promise.all(Array.from({ length: 40 }, () => open(link)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('Retry-After')).toMatch(/^\d+$/);
  });
});

describe('the button to cancel', () => {
  it('cancels once, however often it is pressed, and then says so', async () => {
    const { id, link } = await ordered();
    expect((await open(link)).text).toContain(`<form method="post" action="${link}/cancel">`);
    for (let times = 0; times < 2; times += 1) {
      const answer = await open(`${link}/cancel`, 'POST');
      expect(answer.status).toBe(303);
      expect(answer.headers.get('Location')).toBe(link);
    }
    expect(await cancellations(id)).toBe(1);
    const [order] = await api.db.select().from(orders).where(eq(orders.id, id));
    expect(order).toMatchObject({ cancellationActor: 'customer' });
    const { text } = await open(link);
    expect(text).toContain('A cancellation was requested.');
    expect(text).not.toContain('<form');
  });

  it('is gone once the cancellation was refused, which the page says', async () => {
    const { id, link } = await ordered();
    await open(`${link}/cancel`, 'POST');
    expect(await refuseCancellation(api.db, { orderId: id, generation: 1 })).toBe(true);
    const { text } = await open(link);
    expect(text).toContain('We could not cancel this order: the parcel had already left our warehouse.');
    expect(text).not.toContain('<form');
  });

  it.each(['shipped', 'completed', 'compensating', 'failed'] as const)('is not there once the order is %s, and does nothing', async (status) => {
    const { id, link } = await ordered(status);
    expect((await open(link)).text).not.toContain('<form');
    const answer = await open(`${link}/cancel`, 'POST');
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('It is too late to cancel this order.');
    expect(await cancellations(id)).toBe(0);
  });

  it('does nothing for a link that is only opened, or reloaded: that leads to the order', async () => {
    const { id, link } = await ordered();
    const opened = await open(`${link}/cancel`);
    expect(opened.status).toBe(303);
    expect(opened.headers.get('Location')).toBe(link);
    expect(await cancellations(id)).toBe(0);
  });
});
