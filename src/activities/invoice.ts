import { and, eq, isNull, sql, type SQL } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { invoiceCounter, invoices, orders } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { isCommitting } from './step-commit.ts';
import { defineStep } from './steps.ts';

export type InvoiceActivities = ReturnType<typeof createInvoiceActivities>;

/** Invoices. Their numbers have no gaps: each is taken in the statement that writes the invoice. */
export function createInvoiceActivities({ db }: { db: Database }) {
  const invoice = defineStep(db, 'invoice');
  return {
    async issueInvoice(ref: OrderRef): Promise<void> {
      await invoice.runInPostgres(ref, { writes: issue(ref) });
    },

    /** Marks the invoice as void. Its number stays taken. */
    async voidInvoice(ref: OrderRef): Promise<void> {
      await invoice.compensateInPostgres(ref, async (tx) => {
        const { rowCount } = await tx
          .update(invoices)
          .set({ voidedAt: sql`now()` })
          .where(and(isOf(invoices, ref), isNull(invoices.voidedAt)));
        return { voided: rowCount ?? 0 };
      });
    },
  };
}

/**
 * Takes the next number and writes the invoice. The order is locked first: whoever has locked it, too, must not hold up the
 * counter. If there is no counter, the number is null and the statement fails.
 */
const issue = ({ orderId, generation }: OrderRef): SQL[] => [
  sql`invoiced as (select id, amount, currency from ${orders} where ${eq(orders.id, orderId)} and ${isCommitting} for key share)`,
  sql`counter as (
    update ${invoiceCounter} set last_number = last_number + 1 where exists (select from invoiced) returning last_number
  )`,
  sql`issued as (
    insert into ${invoices} (number, order_id, generation, amount, currency)
    select (select last_number from counter), id, ${generation}::int, amount, currency from invoiced
  )`,
];
