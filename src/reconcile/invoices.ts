import { sql } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { PAGE, type Check, type Difference } from './check.ts';
import { everyOrder } from './orders.ts';

interface Invoiced extends Record<string, unknown> {
  id: string;
  generation: number;
  status: string;
  expected: string;
  invoiced: string;
}

interface Gap extends Record<string, unknown> {
  number: number;
  missing: number;
}

const COUNTER = 'counter';

/** A fulfilled order has one valid invoice over its amount, any other has none; and the numbers have no gaps. */
export const invoices = (db: Database): Check => {
  async function compareOrders(ids: string[]): Promise<Difference[]> {
    if (ids.length === 0) return [];
    const { rows } = await db.execute<Invoiced>(sql`
      select orders.id, orders.generation, orders.status, expected, invoiced from orders
      left join saga_steps as issue on issue.order_id = orders.id and issue.generation = orders.generation
        and issue.step = 'invoice' and issue.kind = 'step'
      left join saga_steps as void on void.order_id = orders.id and void.generation = orders.generation
        and void.step = 'invoice' and void.kind = 'compensation'
      cross join lateral (
        select coalesce(string_agg(invoices.amount || ' ' || invoices.currency, ', '), 'no invoice') as invoiced from invoices
        where invoices.order_id = orders.id and voided_at is null
      ) as issued
      cross join lateral (
        select case when issue.state = 'done' and orders.status not in ('cancelled', 'failed')
          then orders.amount || ' ' || orders.currency else 'no invoice' end as expected
      ) as due
      where orders.id in (${sql.join(ids, sql`, `)}) and invoiced <> expected and void.result -> 'settled' is null`);
    return rows.map(({ id, generation, status, expected, invoiced }) => ({
      subject: id,
      what: 'invoice_differs',
      ours: `${status}, so it has ${expected}`,
      theirs: invoiced,
      orderId: id,
      generation,
    }));
  }

  /** @param numbers of invoices whose neighbour below may be missing */
  async function compareNumbers(numbers: number[]): Promise<Difference[]> {
    if (numbers.length === 0) return [];
    const { rows } = await db.execute<Gap>(sql`
      select number, number - 1 as missing from invoices
      where number in (${sql.join(numbers, sql`, `)})
        and number > (select min(number) from invoices)
        and not exists (select from invoices as neighbour where neighbour.number = invoices.number - 1)`);
    return rows.map(({ number, missing }) => ({
      subject: String(number),
      what: 'number_missing',
      ours: `the invoice after ${missing} is ${number}`,
      theirs: `there is no invoice ${missing}`,
    }));
  }

  async function compareCounter(): Promise<Difference[]> {
    const { rows } = await db.execute<{ given: number; last: number }>(sql`
      select last_number as given, last from invoice_counter
      cross join lateral (select coalesce(max(number), 0) as last from invoices) as issued
      where last_number <> last`);
    return rows.map(({ given, last }) => ({
      subject: COUNTER,
      what: 'counter_differs',
      ours: `the last number given out is ${given}`,
      theirs: `the last invoice is ${last}`,
    }));
  }

  return {
    name: 'invoices',
    sources: [
      everyOrder(db),
      async ({ from }, after) => {
        const { rows } = await db.execute<{ number: number }>(sql`
          select number from invoices
          where number > ${Number(after ?? 0)}
            and ${from === undefined ? sql`true` : sql`number > (select last_number from invoice_counter) - 1000`}
          order by number limit ${PAGE}`);
        const numbers = rows.map(({ number }) => String(number));
        const isLast = numbers.length < PAGE;
        return { compared: numbers.length, suspects: isLast ? [...numbers, COUNTER] : numbers, next: isLast ? undefined : numbers.at(-1) };
      },
    ],
    async compare(subjects) {
      const numbers = subjects.filter((subject) => /^\d+$/.test(subject)).map(Number);
      const ids = subjects.filter((subject) => subject.includes('-'));
      return [
        ...(await compareOrders(ids)),
        ...(await compareNumbers(numbers)),
        ...(subjects.includes(COUNTER) ? await compareCounter() : []),
      ];
    },
  };
};
