import { asc, sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { stock } from '../db/schema.ts';
import { PAGE, type Check } from './check.ts';
import { everyOrder } from './orders.ts';

interface Held extends Record<string, unknown> {
  id: string;
  generation: number;
  status: string;
  expected: string;
  held: string;
}

const quantities = (table: 'order_items' | 'reservations') =>
  sql.raw(`coalesce(string_agg(${table}.sku || ' × ' || ${table}.quantity, ', ' order by ${table}.sku), 'nothing')`);

/** An order holds what was ordered while its stock is reserved, and nothing otherwise. Earlier generations hold nothing. */
export const reservations = (db: Database): Check => ({
  name: 'reservations',
  sources: [everyOrder(db)],
  async compare(ids) {
    const { rows } = await db.execute<Held>(sql`
      select orders.id, orders.generation, orders.status, expected, held from orders
      left join saga_steps as reserve on reserve.order_id = orders.id and reserve.generation = orders.generation
        and reserve.step = 'reserve' and reserve.kind = 'step'
      left join saga_steps as release on release.order_id = orders.id and release.generation = orders.generation
        and release.step = 'reserve' and release.kind = 'compensation'
      cross join lateral (
        select ${quantities('reservations')} as held from reservations
        where reservations.order_id = orders.id and reservations.released_at is null
      ) as reserved
      cross join lateral (
        select ${quantities('order_items')} as expected from order_items
        where order_items.order_id = orders.id and reserve.state = 'done' and orders.status not in ('cancelled', 'failed')
      ) as ordered
      where orders.id in (${sql.join(ids, sql`, `)}) and held <> expected
        -- Settled by hand: a person has said where the stock is.
        and release.result -> 'settled' is null`);
    return rows.map(({ id, generation, status, expected, held }) => ({
      subject: id,
      what: 'reservations_differ',
      ours: `${status}, so it holds ${expected}`,
      theirs: `it holds ${held}`,
      orderId: id,
      generation,
    }));
  },
});

interface Total extends Record<string, unknown> {
  sku: string;
  received: number;
  available: number;
  reserved: number;
}

/** What is available and what is reserved make up what was received. It adds up all reservations, so not every minute. */
export const stockTotals = (db: Database): Check => ({
  name: 'stock',
  sources: [
    async ({ from }, after) => {
      if (from !== undefined) return { compared: 0, suspects: [], next: undefined };
      const rows = await db
        .select({ sku: stock.sku })
        .from(stock)
        .where(after === undefined ? undefined : sql`${stock.sku} > ${after}`)
        .orderBy(asc(stock.sku))
        .limit(PAGE);
      const skus = rows.map(({ sku }) => sku);
      return { compared: skus.length, suspects: skus, next: skus.length < PAGE ? undefined : skus.at(-1) };
    },
  ],
  async compare(skus) {
    const { rows } = await db.execute<Total>(sql`
      select sku, received, available, reserved from stock
      cross join lateral (
        select coalesce(sum(quantity), 0)::int as reserved from reservations
        where reservations.sku = stock.sku and released_at is null
      ) as held
      where sku in (${sql.join(skus, sql`, `)}) and received <> available + reserved`);
    return rows.map(({ sku, received, available, reserved }) => ({
      subject: sku,
      what: 'stock_differs',
      ours: `${received} of ${sku}`,
      theirs: `${available} available + ${reserved} reserved = ${available + reserved}`,
    }));
  },
});
