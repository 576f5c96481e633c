import { and, eq, isNull, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { invoiceCounter, invoices, orderItems } from '../db/schema.ts';
import { isOf } from '../records/order-rows.ts';
import { notInDatabase } from './errors.ts';
import { findOrder } from './find-order.ts';
import { renderInvoice } from './invoice-pdf.ts';
import { defineStep } from './steps.ts';

export type InvoiceActivities = ReturnType<typeof createInvoiceActivities>;

/** Invoices. Their numbers have no gaps: each is taken in the transaction that writes the invoice. */
export function createInvoiceActivities({ db }: { db: Database }) {
  const invoice = defineStep(db, 'invoice');
  return {
    async issueInvoice(ref: OrderRef): Promise<void> {
      await invoice.run(ref, async (commit) => {
        const order = await findOrder(db, ref);
        const items = await db.select().from(orderItems).where(eq(orderItems.orderId, ref.orderId));
        await commit(async (tx) => {
          const [counter] = await tx
            .update(invoiceCounter)
            .set({ lastNumber: sql`${invoiceCounter.lastNumber} + 1` })
            .returning({ number: invoiceCounter.lastNumber });
          if (!counter) throw notInDatabase('invoice counter');
          const { number } = counter;
          const issuedAt = new Date();
          const pdf = await renderInvoice({ number, issuedAt, order, items });
          const { amount, currency } = order;
          await tx.insert(invoices).values({ number, ...ref, amount, currency, pdf, issuedAt });
          return { number };
        });
      });
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
