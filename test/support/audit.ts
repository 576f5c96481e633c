import { and, eq, isNull } from 'drizzle-orm';
import { expect } from 'vitest';
import { parseShipmentReference, type OrderRef } from '../../src/contracts/ids.ts';
import type { Database } from '../../src/db/client.ts';
import { invoices, orderItems, orders, payments, refunds, reservations, shipments, stock } from '../../src/db/schema.ts';
import type { PaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import type { WarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';

/** The records that are compared: our database, and the ledgers of the provider and the warehouse. */
export interface Books {
  db: Database;
  payments: Pick<PaymentSimulator, 'ledger'>;
  warehouse: Pick<WarehouseSimulator, 'ledger'>;
}

/**
 * Checks what must be true of an order that is at rest, whatever went wrong on its way. Each generation has each effect
 * at most once, our records match those of the provider and the warehouse, and an order that was cancelled or failed
 * keeps nothing. Amounts are in minor units.
 */
export async function expectSound(books: Books, orderId: string): Promise<void> {
  const { db } = books;
  const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
  if (!order) throw new Error(`No order ${orderId}.`);
  for (let generation = 1; generation <= order.generation; generation += 1) {
    const ref = { orderId, generation };
    const { charges, refunded } = providerView(books, ref);
    expect(charges.length, 'charges at the provider').toBeLessThanOrEqual(1);
    const charged = sum(charges);
    expect(refunded, 'refunds at the provider').toBeLessThanOrEqual(charged);

    const [payment] = await db.select().from(payments).where(isOf(payments, ref));
    const ourRefunds = payment ? await db.select().from(refunds).where(eq(refunds.paymentId, payment.id)) : [];
    expect({ captured: payment?.captured ?? 0, refunded: payment?.refunded ?? 0 }, 'our payment').toEqual({
      captured: charged,
      refunded,
    });
    expect(sum(ourRefunds.filter(({ status }) => status === 'succeeded')), 'our refunds').toBe(refunded);

    const { accepted, cancelled } = warehouseView(books, ref);
    expect(accepted - cancelled, 'parcels').toBeLessThanOrEqual(1);
    const isSent = accepted > cancelled;

    const items = await db.select().from(orderItems).where(eq(orderItems.orderId, orderId));
    const reserved = await db
      .select()
      .from(reservations)
      .where(and(isOf(reservations, ref), isNull(reservations.releasedAt)));
    const [invoice] = await db
      .select()
      .from(invoices)
      .where(and(isOf(invoices, ref), isNull(invoices.voidedAt)));

    const isLast = generation === order.generation;
    if (isLast && ['fulfilling', 'shipped', 'completed'].includes(order.status)) {
      expect(charged, 'the charge').toBe(order.amount);
      expect(refunded, 'refunds of a successful order').toBe(0);
      expect(isSent, 'the parcel').toBe(true);
      expect(await db.$count(shipments, isOf(shipments, ref)), 'our shipment').toBe(1);
      expect(bySku(reserved), 'the reservations').toEqual(bySku(items));
      expect(invoice?.amount, 'the invoice').toBe(order.amount);
    }
    if (!isLast || ['cancelled', 'failed'].includes(order.status)) {
      expect(charged - refunded, 'money kept').toBe(0);
      expect(isSent, 'a parcel of an order that ended').toBe(false);
      expect(reserved, 'stock kept').toEqual([]);
      expect(invoice, 'a valid invoice').toBeUndefined();
    }
  }
}

/** @returns the quantity of each product, available and reserved together: no order may change it */
export async function stockTotals(db: Database): Promise<Record<string, number>> {
  const products = await db.select().from(stock);
  const reserved = await db.select().from(reservations).where(isNull(reservations.releasedAt));
  const reservedOf = (sku: string) =>
    reserved.filter((row) => row.sku === sku).reduce((total, { quantity }) => total + quantity, 0);
  return Object.fromEntries(products.map(({ sku, available }) => [sku, available + reservedOf(sku)]));
}

/** @returns all invoice numbers, in order */
export async function invoiceNumbers(db: Database): Promise<number[]> {
  const rows = await db.select({ number: invoices.number }).from(invoices).orderBy(invoices.number);
  return rows.map(({ number }) => number);
}

/** An order, in one generation or in all of them. */
type OrderScope = Pick<OrderRef, 'orderId'> & Partial<OrderRef>;

/** @returns the charges of an order at the payment provider, and how much of them has been given back */
export function providerView({ payments: { ledger } }: Pick<Books, 'payments'>, { orderId, generation }: OrderScope) {
  const charges = ledger().flatMap((entry) =>
    entry.type === 'payment_intent.succeeded' &&
    entry.metadata['orderId'] === orderId &&
    (generation === undefined || entry.metadata['generation'] === String(generation))
      ? [{ id: entry.paymentIntent, amount: entry.amount }]
      : [],
  );
  const latest = new Map<string, { amount: number; status: string }>();
  for (const entry of ledger()) {
    const isRefund = entry.type === 'refund.created' || entry.type === 'refund.updated';
    if (isRefund && charges.some(({ id }) => id === entry.paymentIntent)) latest.set(entry.refund, entry.object);
  }
  return { charges, refunded: sum([...latest.values()].filter(({ status }) => status === 'succeeded')) };
}

const isOfOrder = (reference: string, { orderId, generation }: OrderRef): boolean => {
  const found = parseShipmentReference(reference);
  return found?.orderId === orderId && found.generation === generation;
};

/** @returns how many parcels of an order the warehouse accepted and cancelled */
export function warehouseView({ warehouse }: Pick<Books, 'warehouse'>, ref: OrderRef) {
  const ours = warehouse
    .ledger()
    .flatMap((entry) => ('reference' in entry && isOfOrder(entry.reference, ref) ? [entry.type] : []));
  return {
    accepted: ours.filter((type) => type === 'shipment.accepted').length,
    cancelled: ours.filter((type) => type === 'shipment.cancelled').length,
  };
}

type RefTable = typeof payments | typeof shipments | typeof reservations | typeof invoices;

const isOf = (table: RefTable, { orderId, generation }: OrderRef) =>
  and(eq(table.orderId, orderId), eq(table.generation, generation));

/** @returns the total of some amounts */
export const sum = (amounts: { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);

const bySku = (items: { sku: string; quantity: number }[]) =>
  Object.fromEntries(items.map(({ sku, quantity }) => [sku, quantity]));
