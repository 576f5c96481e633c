import { ApplicationFailure } from '@temporalio/common';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { invoiceCounter, invoices, orderItems, orders } from '../db/schema.ts';
import { renderInvoice } from './invoice-pdf.ts';
import { runCompensation, runStep } from './steps.ts';

export type InvoiceActivities = ReturnType<typeof createInvoiceActivities>;

/** Invoices. Their numbers have no gaps: a number is taken in the transaction that writes its invoice. */
export function createInvoiceActivities({ db }: { db: Database }) {
  return {
    async issueInvoice(ref: OrderRef): Promise<void> {
      await runStep(db, ref, 'invoice', async (commit) => {
        const [order] = await db.select().from(orders).where(eq(orders.id, ref.orderId));
        if (!order) throw ApplicationFailure.create({ type: 'not_found', message: 'The order is not in the database.' });
        const items = await db.select().from(orderItems).where(eq(orderItems.orderId, ref.orderId));
        await commit(async (tx) => {
          const [counter] = await tx
            .update(invoiceCounter)
            .set({ lastNumber: sql`${invoiceCounter.lastNumber} + 1` })
            .returning({ number: invoiceCounter.lastNumber });
          if (!counter) throw ApplicationFailure.create({ type: 'not_found', message: 'There is no invoice counter.' });
          const { number } = counter;
          const issuedAt = new Date();
          const pdf = await renderInvoice({ number, issuedAt, order, items });
          const { amount, currency } = order;
          await tx.insert(invoices).values({ number, ...ref, amount, currency, pdf, issuedAt });
          return { number };
        });
      });
    },

    /** An issued number stays taken: the invoice is marked as void. */
    async voidInvoice(ref: OrderRef): Promise<void> {
      await runCompensation(db, ref, 'invoice', (commit) =>
        commit(async (tx) => {
          const voided = await tx
            .update(invoices)
            .set({ voidedAt: sql`now()` })
            .where(
              and(
                eq(invoices.orderId, ref.orderId),
                eq(invoices.generation, ref.generation),
                isNull(invoices.voidedAt),
              ),
            )
            .returning({ number: invoices.number });
          return { voided: voided.length };
        }),
      );
    },
  };
}
