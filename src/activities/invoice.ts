import { and, isNull, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database, Transaction } from '../db/client.ts';
import { invoices } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { notInDatabase } from './errors.ts';
import { defineStep } from './steps.ts';

export type InvoiceActivities = ReturnType<typeof createInvoiceActivities>;

/** Invoices. Their numbers have no gaps: each is taken in the transaction that writes the invoice. */
export function createInvoiceActivities({ db }: { db: Database }) {
  const invoice = defineStep(db, 'invoice');
  return {
    async issueInvoice(ref: OrderRef): Promise<void> {
      await invoice.run(ref, (commit) => commit(async (tx) => ({ number: await issue(tx, ref) })));
    },

    /** Marks the invoice as void. Its number stays taken. */
    async voidInvoice(ref: OrderRef): Promise<void> {
      await invoice.compensate(ref, (commit) =>
        commit(async (tx) => {
          const voided = await tx
            .update(invoices)
            .set({ voidedAt: sql`now()` })
            .where(and(isOf(invoices, ref), isNull(invoices.voidedAt)))
            .returning({ number: invoices.number });
          return { voided: voided.length };
        }),
      );
    },
  };
}

/** Takes the next number and writes the invoice in one statement: until the commit, the counter is locked for all orders. */
async function issue(tx: Transaction, { orderId, generation }: OrderRef): Promise<number> {
  const {
    rows: [issued],
  } = await tx.execute<{ number: number }>(sql`
    with counter as (update invoice_counter set last_number = last_number + 1 returning last_number)
    insert into invoices (number, order_id, generation, amount, currency)
    select last_number, orders.id, ${generation}::int, amount, currency from counter, orders where orders.id = ${orderId}
    returning number`);
  if (!issued) throw notInDatabase('order or the invoice counter');
  return issued.number;
}
