import { z } from '@hono/zod-openapi';
import { and, desc, eq, inArray, notInArray, type SQL } from 'drizzle-orm';
import { ORDER_STATUSES, type FailureKind, type OrderStatus } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { failures, invoices, orderItems, orders, payments, shipments } from '../../db/schema.ts';
import { ownerFilter, type Caller } from '../../intake/caller.ts';
import { notFound } from '../../intake/errors.ts';
import type { AcceptedOrder } from '../../intake/orders.ts';
import type { Links } from '../links.ts';
import { money, time } from '../schemas/common.ts';

export const orderSchema = z
  .strictObject({
    id: z.uuid(),
    status: z.enum(ORDER_STATUSES),
    total: money,
    items: z.array(z.strictObject({ sku: z.string(), name: z.string(), quantity: z.int(), unitPrice: money })),
    customer: z.strictObject({ email: z.string(), name: z.string() }),
    shippingAddress: z.strictObject({
      line1: z.string(),
      city: z.string(),
      postalCode: z.string(),
      country: z.string(),
    }),
    payment: z
      .strictObject({
        status: z.string(),
        captured: z.int(),
        refunded: z.int(),
        currency: z.string(),
        capturedAt: time.nullable(),
      })
      .nullable()
      .openapi({ description: 'Amounts are minor units' }),
    shipment: z
      .strictObject({
        status: z.string(),
        carrier: z.string().nullable(),
        trackingNumber: z.string().nullable(),
        acceptedAt: time,
        shippedAt: time.nullable(),
        deliveredAt: time.nullable(),
      })
      .nullable(),
    invoice: z.strictObject({ number: z.int(), href: z.string(), voidedAt: time.nullable() }).nullable(),
    failure: z
      .strictObject({ type: z.string(), message: z.string(), step: z.string().optional() })
      .nullable()
      .openapi({ description: 'What holds the order up, or why it ended' }),
    generation: z.int().openapi({ description: 'Which deliberate fresh start of the order this is, from 1' }),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({
      self: z.string(),
      saga: z.string(),
      events: z.string(),
      cancel: z.string(),
      invoice: z.string(),
      workflow: z.string().openapi({ description: 'The run in the Temporal Web UI' }),
    }),
  })
  .openapi('Order');

export type OrderView = z.infer<typeof orderSchema>;

/** @returns an order as it was when it was taken: nothing has happened to it yet. */
export function acceptedOrderView(order: AcceptedOrder, links: Links): OrderView {
  return {
    id: order.id,
    status: order.status,
    total: { amount: order.amount, currency: order.currency },
    items: itemViews(order.items, order.currency),
    customer: order.customer,
    shippingAddress: order.shippingAddress,
    payment: null,
    shipment: null,
    invoice: null,
    failure: null,
    generation: order.generation,
    createdAt: order.createdAt,
    updatedAt: order.createdAt,
    links: links.order(order.id),
  };
}

/**
 * Reads an order as it stands.
 * @throws IntakeError `not_found` when there is none, or it is not for this caller to see
 */
export async function loadOrder(db: Database, links: Links, caller: Caller, id: string): Promise<OrderView> {
  const [order] = await loadOrders(db, links, { where: and(eq(orders.id, id), mayRead(caller)), limit: 1 });
  if (!order) throw notFound('order');
  return order;
}

/** @throws IntakeError `not_found` when there is no such order, or it is not for this caller to see */
export async function requireOrder(db: Database, caller: Caller, id: string): Promise<void> {
  const found = await db
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.id, id), mayRead(caller)));
  if (found.length === 0) throw notFound('order');
}

/** @returns the condition for the orders that a caller may see. */
export function mayRead(caller: Caller): SQL | undefined {
  const owner = ownerFilter(caller);
  return owner ? eq(orders.owner, owner) : undefined;
}

/** @returns orders with all that belongs to them, the newest first, in at most three queries. */
export async function loadOrders(
  db: Database,
  links: Links,
  { where, limit }: { where: SQL | undefined; limit: number },
): Promise<OrderView[]> {
  const rows = await db
    .select({
      order: orders,
      payment: payments,
      shipment: shipments,
      invoice: { number: invoices.number, voidedAt: invoices.voidedAt },
    })
    .from(orders)
    .leftJoin(payments, and(eq(payments.orderId, orders.id), eq(payments.generation, orders.generation)))
    .leftJoin(shipments, and(eq(shipments.orderId, orders.id), eq(shipments.generation, orders.generation)))
    .leftJoin(invoices, and(eq(invoices.orderId, orders.id), eq(invoices.generation, orders.generation)))
    .where(where)
    .orderBy(desc(orders.id))
    .limit(limit);
  const [items, held] = await Promise.all([
    loadItems(
      db,
      rows.map(({ order }) => order.id),
    ),
    loadHolds(
      db,
      rows.filter(({ order }) => order.status === 'needs_attention').map(({ order }) => order.id),
    ),
  ]);
  return rows.map(({ order, payment, shipment, invoice }) => ({
    id: order.id,
    status: order.status,
    total: { amount: order.amount, currency: order.currency },
    items: itemViews(items.get(order.id) ?? [], order.currency),
    customer: { email: order.customerEmail, name: order.customerName },
    shippingAddress: {
      line1: order.line1,
      city: order.city,
      postalCode: order.postalCode,
      country: order.country,
    },
    payment: payment && {
      status: payment.state,
      captured: payment.captured,
      refunded: payment.refunded,
      currency: payment.currency,
      capturedAt: iso(payment.capturedAt),
    },
    shipment: shipment && {
      status: shipment.state,
      carrier: shipment.carrier,
      trackingNumber: shipment.trackingNumber,
      acceptedAt: shipment.acceptedAt.toISOString(),
      shippedAt: iso(shipment.shippedAt),
      deliveredAt: iso(shipment.deliveredAt),
    },
    invoice: invoice && {
      number: invoice.number,
      href: links.order(order.id).invoice,
      voidedAt: iso(invoice.voidedAt),
    },
    failure: held.get(order.id) ?? ending(order),
    generation: order.generation,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    links: links.order(order.id),
  }));
}

interface Item {
  sku: string;
  name: string;
  quantity: number;
  unitAmount: number;
}

const itemViews = (items: Item[], currency: string): OrderView['items'] =>
  items.map(({ sku, name, quantity, unitAmount }) => ({
    sku,
    name,
    quantity,
    unitPrice: { amount: unitAmount, currency },
  }));

async function loadItems(db: Database, ids: string[]): Promise<Map<string, Item[]>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select()
    .from(orderItems)
    .where(inArray(orderItems.orderId, ids))
    .orderBy(orderItems.position);
  const items = new Map<string, Item[]>(ids.map((id) => [id, []]));
  for (const row of rows) items.get(row.orderId)?.push(row);
  return items;
}

/** An email that was not sent or a late parcel is for the operators; it does not hold the order up. */
const HARMLESS: FailureKind[] = ['email', 'late_shipment'];

async function loadHolds(db: Database, ids: string[]): Promise<Map<string, NonNullable<OrderView['failure']>>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select()
    .from(failures)
    .innerJoin(orders, and(eq(orders.id, failures.orderId), eq(orders.generation, failures.generation)))
    .where(and(inArray(orders.id, ids), eq(failures.status, 'open'), notInArray(failures.kind, HARMLESS)))
    .orderBy(failures.lastSeenAt);
  // The newest is put in last, and stays.
  return new Map(
    rows.map(({ failures: { errorType, errorMessage, step }, orders: { id } }) => [
      id,
      { type: errorType, message: errorMessage, step },
    ]),
  );
}

const ENDING: readonly OrderStatus[] = ['compensating', 'cancelled', 'failed'];

const ending = (order: typeof orders.$inferSelect): OrderView['failure'] =>
  order.failureType !== null && ENDING.includes(order.status)
    ? { type: order.failureType, message: order.failureMessage ?? '' }
    : null;

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
