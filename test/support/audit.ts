import { and, eq, isNull } from 'drizzle-orm';
import { expect } from 'vitest';
import { shipmentReference } from '../../src/contracts/ids.ts';
import type { Database } from '../../src/db/client.ts';
import { invoices, orderItems, orders, payments, refunds, reservations, shipments, stock } from '../../src/db/schema.ts';
import type { PaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import type { WarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';

/** Where the truth about an order is written down: our database, and what the others keep. */
export interface Witnesses {
  db: Database;
  payments: Pick<PaymentSimulator, 'ledger'>;
  warehouse: Pick<WarehouseSimulator, 'ledger'>;
}

/**
 * Holds an order against what must be true of it whatever went wrong on its way: each effect at most once in each
 * generation, ours and theirs the same, and nothing kept by an order that ended badly. Amounts are minor units.
 * Works once the order is at rest.
 */
export async function expectSound(witnesses: Witnesses, orderId: string): Promise<void> {
  const { db } = witnesses;
  const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
  if (!order) throw new Error('no such order');
  for (let generation = 1; generation <= order.generation; generation += 1) {
    const ref = { orderId, generation };
    const theirs = providerView(witnesses.payments, ref);
    expect(theirs.charges.length, 'charges at the provider').toBeLessThanOrEqual(1);
    const [charge] = theirs.charges;
    expect(theirs.refunded, 'refunds at the provider').toBeLessThanOrEqual(charge?.amount ?? 0);

    const [payment] = await db.select().from(payments).where(isOf(payments, ref));
    const given = payment ? await db.select().from(refunds).where(eq(refunds.paymentId, payment.id)) : [];
    expect({ captured: payment?.captured ?? 0, refunded: payment?.refunded ?? 0 }, 'our books against theirs').toEqual({
      captured: charge?.amount ?? 0,
      refunded: theirs.refunded,
    });
    expect(sum(given), 'our list of refunds').toBe(theirs.refunded);

    const parcels = witnesses.warehouse.ledger().flatMap((entry) => {
      const ours = 'reference' in entry && entry.reference === shipmentReference(ref);
      return ours ? [entry.type] : [];
    });
    expect(parcels.filter((type) => type === 'shipment.accepted').length, 'parcels').toBeLessThanOrEqual(1);
    const sent = parcels.includes('shipment.accepted') && !parcels.includes('shipment.cancelled');

    const items = await db.select().from(orderItems).where(eq(orderItems.orderId, orderId));
    const held = await db
      .select()
      .from(reservations)
      .where(and(isOf(reservations, ref), isNull(reservations.releasedAt)));
    const [invoice] = await db
      .select()
      .from(invoices)
      .where(and(isOf(invoices, ref), isNull(invoices.voidedAt)));

    const isLast = generation === order.generation;
    if (isLast && ['fulfilling', 'shipped', 'completed'].includes(order.status)) {
      expect(charge?.amount, 'the charge').toBe(order.amount);
      expect(theirs.refunded, 'refunds of an order that goes well').toBe(0);
      expect(sent, 'the parcel').toBe(true);
      expect(await db.$count(shipments, isOf(shipments, ref)), 'our shipment').toBe(1);
      expect(bySku(held), 'what is reserved').toEqual(bySku(items));
      expect(invoice?.amount, 'the invoice').toBe(order.amount);
    }
    if (!isLast || ['cancelled', 'failed'].includes(order.status)) {
      expect((charge?.amount ?? 0) - theirs.refunded, 'money kept').toBe(0);
      expect(sent, 'a parcel of an order that ended').toBe(false);
      expect(held, 'stock kept').toEqual([]);
      expect(invoice, 'an invoice that stands').toBeUndefined();
    }
  }
}

/** @returns what there is of each product: on the shelf and set aside. No order changes it, only where it stands. */
export async function stockTotals(db: Database): Promise<Record<string, number>> {
  const shelf = await db.select().from(stock);
  const aside = await db.select().from(reservations).where(isNull(reservations.releasedAt));
  const asideOf = (sku: string) => aside.filter((row) => row.sku === sku).reduce((total, row) => total + row.quantity, 0);
  return Object.fromEntries(shelf.map(({ sku, available }) => [sku, available + asideOf(sku)]));
}

/** @returns the invoice numbers there are, in order */
export async function invoiceNumbers(db: Database): Promise<number[]> {
  const rows = await db.select({ number: invoices.number }).from(invoices).orderBy(invoices.number);
  return rows.map(({ number }) => number);
}

interface Ref {
  orderId: string;
  generation: number;
}

function providerView({ ledger }: Pick<PaymentSimulator, 'ledger'>, { orderId, generation }: Ref) {
  const charges = ledger().flatMap((entry) =>
    entry.type === 'payment_intent.succeeded' &&
    entry.metadata['orderId'] === orderId &&
    entry.metadata['generation'] === String(generation)
      ? [{ id: entry.paymentIntent, amount: entry.amount }]
      : [],
  );
  const given = ledger().flatMap((entry) =>
    entry.type === 'refund.created' && charges.some(({ id }) => id === entry.paymentIntent) ? [entry] : [],
  );
  return { charges, refunded: sum(given) };
}

type RefTable = typeof payments | typeof shipments | typeof reservations | typeof invoices;

const isOf = (table: RefTable, { orderId, generation }: Ref) =>
  and(eq(table.orderId, orderId), eq(table.generation, generation));

const sum = (amounts: { amount: number }[]): number => amounts.reduce((total, { amount }) => total + amount, 0);

const bySku = (items: { sku: string; quantity: number }[]) =>
  Object.fromEntries(items.map(({ sku, quantity }) => [sku, quantity]));
