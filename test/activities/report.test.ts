import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { v7 as uuid } from 'uuid';
import { weekBefore } from '../../src/activities/report.ts';
import { weeklyFiguresSchema } from '../../src/contracts/report.ts';
import { failures, orders, payments, refunds, signups, weeklyReports } from '../../src/db/schema.ts';
import { createShop, runActivity, type Shop } from '../support/shop.ts';

describe('the week before', () => {
  it.each([
    ['an ordinary Monday', '2026-11-23T07:00:00Z', 'Europe/Berlin', '2026-W47', '2026-11-15T23:00:00Z', '2026-11-22T23:00:00Z'],
    ['a Sunday evening', '2026-11-22T20:00:00Z', 'Europe/Berlin', '2026-W46', '2026-11-08T23:00:00Z', '2026-11-15T23:00:00Z'],
    ['Monday at midnight', '2026-11-22T23:00:00Z', 'Europe/Berlin', '2026-W47', '2026-11-15T23:00:00Z', '2026-11-22T23:00:00Z'],
    ['a change to summer time', '2026-03-30T06:00:00Z', 'Europe/Berlin', '2026-W13', '2026-03-22T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['a change to winter time', '2026-10-26T07:00:00Z', 'Europe/Berlin', '2026-W43', '2026-10-18T22:00:00Z', '2026-10-25T23:00:00Z'],
    ['a year of 53 weeks', '2027-01-04T07:00:00Z', 'Europe/Berlin', '2026-W53', '2026-12-27T23:00:00Z', '2027-01-03T23:00:00Z'],
    ['the first week of a year', '2027-01-11T07:00:00Z', 'Europe/Berlin', '2027-W01', '2027-01-03T23:00:00Z', '2027-01-10T23:00:00Z'],
    ['a first week that begins in December', '2025-01-06T07:00:00Z', 'Europe/Berlin', '2025-W01', '2024-12-29T23:00:00Z', '2025-01-05T23:00:00Z'],
    ['already Monday in Tokyo', '2026-11-22T20:00:00Z', 'Asia/Tokyo', '2026-W47', '2026-11-15T15:00:00Z', '2026-11-22T15:00:00Z'],
    ['still Sunday in New York', '2026-11-23T03:00:00Z', 'America/New_York', '2026-W46', '2026-11-09T05:00:00Z', '2026-11-16T05:00:00Z'],
  ])('of %s', (_when, scheduledAt, timeZone, week, startsAt, endsAt) => {
    const found = weekBefore(scheduledAt, timeZone);
    expect(found).toMatchObject({ week, startsAt: new Date(startsAt), endsAt: new Date(endsAt) });
    expect(found.days).toHaveLength(7);
    expect(found.days.map((day) => day.weekday)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(found.days[0]?.toJSDate()).toEqual(found.startsAt);
  });

  it.each([
    ['2026-11-23T07:00:00Z', 'Europe/Atlantis'],
    ['yesterday', 'Europe/Berlin'],
  ])('is refused for %s in %s', (scheduledAt, timeZone) => {
    expect(() => weekBefore(scheduledAt, timeZone)).toThrow(expect.objectContaining({ type: 'invalid_request', nonRetryable: true }));
  });
});

describe('a weekly report', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await createShop();
  });
  afterAll(() => shop.close());

  /** Inserts an order that was created, and paid, in the past. */
  async function insertOrder(at: string, status: 'completed' | 'failed' | 'fulfilling', paid?: { amount: number; back?: number }) {
    const createdAt = new Date(at);
    const orderId = uuid();
    const amount = paid?.amount ?? 890;
    await shop.db.insert(orders).values({
      id: orderId,
      owner: shop.caller.keyId,
      status,
      amount,
      currency: 'EUR',
      paymentMethod: 'pm_card_visa',
      customerEmail: 'ada@example.com',
      customerName: 'Ada',
      line1: '1 Dorset Street',
      city: 'London',
      postalCode: 'W1U 4EG',
      country: 'GB',
      createdAt,
    });
    if (!paid) return;
    const back = paid.back ?? 0;
    const id = uuid();
    await shop.db.insert(payments).values({
      id,
      orderId,
      generation: 1,
      state: back > 0 ? 'refunded' : 'captured',
      amount,
      currency: 'EUR',
      captured: amount,
      refunded: back,
      capturedAt: createdAt,
      createdAt,
    });
    if (back > 0) await shop.db.insert(refunds).values({ providerRefundId: id, paymentId: id, amount: back, status: 'succeeded', createdAt });
  }

  const report = async (scheduledAt: string) => {
    const { week } = await runActivity(shop.activities().compileWeeklyReport, { scheduledAt, timeZone: 'Europe/Berlin' });
    const rows = await shop.db.select().from(weeklyReports);
    const row = rows.find((candidate) => candidate.week === week);
    if (!row) throw new Error('no report');
    return { ...row, figures: weeklyFiguresSchema.parse(row.figures) };
  };

  it('counts what happened in its week, by day in its time zone', async () => {
    await insertOrder('2026-11-15T22:59:59Z', 'completed', { amount: 100_000 }); // a second too early
    await insertOrder('2026-11-15T23:00:00Z', 'completed', { amount: 1_000 }); // Monday, 00:00 in Berlin
    await insertOrder('2026-11-18T22:59:00Z', 'failed', { amount: 2_000, back: 2_000 }); // Wednesday
    await insertOrder('2026-11-18T23:30:00Z', 'fulfilling', { amount: 4_000 }); // Thursday in Berlin
    await insertOrder('2026-11-22T22:59:59Z', 'fulfilling');
    await insertOrder('2026-11-22T23:00:00Z', 'completed', { amount: 100_000 }); // the next week
    const createdAt = new Date('2026-11-17T12:00:00Z');
    for (const [status, verifiedAt] of [['trial', createdAt], ['expired', null], ['pending_verification', null]] as const) {
      await shop.db.insert(signups).values({
        id: uuid(),
        owner: shop.caller.keyId,
        email: `${status}@example.com`,
        name: status,
        status,
        verifiedAt,
        createdAt,
      });
    }
    for (const status of ['open', 'resolved'] as const) {
      await shop.db.insert(failures).values({
        id: uuid(),
        kind: 'step',
        status,
        workflowId: 'order/1',
        step: 'ship',
        errorType: 'warehouse_unavailable',
        errorMessage: 'down',
        attempts: 4,
        firstSeenAt: createdAt,
      });
    }

    const { week, figures, chart } = await report('2026-11-23T07:00:00Z');
    expect(week).toBe('2026-W47');
    expect(figures).toEqual({
      currency: 'EUR',
      orders: { accepted: 4, completed: 1, cancelled: 0, failed: 1, open: 2 },
      money: { captured: 7_000, refunded: 2_000 },
      signups: { started: 3, verified: 1, subscribed: 0, expired: 1 },
      failures: { opened: 2, stillOpen: 1 },
      days: [
        { date: '2026-11-16', orders: 1, captured: 1_000 },
        { date: '2026-11-17', orders: 0, captured: 0 },
        { date: '2026-11-18', orders: 1, captured: 2_000 },
        { date: '2026-11-19', orders: 1, captured: 4_000 },
        { date: '2026-11-20', orders: 0, captured: 0 },
        { date: '2026-11-21', orders: 0, captured: 0 },
        { date: '2026-11-22', orders: 1, captured: 0 },
      ],
    });
    expect(chart).toMatch(/^<svg/);
  });

  it('does not change when it is compiled again', async () => {
    const first = await report('2026-11-23T07:00:00Z');
    await insertOrder('2026-11-17T12:00:00Z', 'completed');
    expect(await report('2026-11-23T09:00:00Z')).toEqual(first);
  });

  it('is written for a week without orders, too', async () => {
    const { figures } = await report('2026-01-05T07:00:00Z');
    expect(figures.orders).toEqual({ accepted: 0, completed: 0, cancelled: 0, failed: 0, open: 0 });
  });

  it('adds up a week of large orders', async () => {
    for (const day of ['2026-06-02', '2026-06-02', '2026-06-03']) {
      await insertOrder(`${day}T10:00:00Z`, 'failed', { amount: 2_000_000_000, back: 2_000_000_000 });
    }
    const { figures } = await report('2026-06-08T07:00:00Z');
    expect(figures.money).toEqual({ captured: 6_000_000_000, refunded: 6_000_000_000 });
  });
});
