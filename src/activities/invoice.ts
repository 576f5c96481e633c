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
      await invoice.runInPostgres(ref, { write: (tx) => issue(tx, ref) });
    },

    /** Marks the invoice as void. Its number stays taken. */
    async voidInvoice(ref: OrderRef): Promise<void> {
      await invoice.compensateInPostgres(ref, {
        async write(tx) {
          const { rowCount } = await tx
            .update(invoices)
            .set({ voidedAt: sql`now()` })
            .where(and(isOf(invoices, ref), isNull(invoices.voidedAt)));
          return { voided: rowCount ?? 0 };
        },
      });
    },
  };
}

/**
 * Takes the next number, writes the invoice and records its number in the step, in one statement, which is the last: until
 * the commit, the counter is locked for all orders.
 */
async function issue(tx: Transaction, { orderId, generation }: OrderRef): Promise<void> {
  const { rowCount } = await tx.execute(sql`
    with
      counter as (update invoice_counter set last_number = last_number + 1 returning last_number),
      issued as (
        insert into invoices (number, order_id, generation, amount, currency)
        select last_number, orders.id, ${generation}::int, amount, currency from counter, orders where orders.id = ${orderId}
        returning number
      )
    update saga_steps set result = jsonb_build_object('number', number) from issued
    where order_id = ${orderId} and generation = ${generation} and step = 'invoice' and kind = 'step'`);
  if (rowCount === 0) throw notInDatabase('order or the invoice counter');
}
