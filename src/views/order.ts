import { z } from '@hono/zod-openapi';
import type { Caller } from '../contracts/caller.ts';
import { orderWorkflowId } from '../contracts/ids.ts';
import { ORDER_STATUSES, PAYMENT_STATES, SHIPMENT_STATES, type OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import type { AcceptedOrder } from '../intake/orders.ts';
import { readOrder, type OrderRecord } from '../queries/orders.ts';
import { cancellationSchema, cancellationView } from './cancellation.ts';
import { errorViewFor, iso, money, orNull, time } from './common.ts';
import type { Links } from './links.ts';

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
        status: z.enum(PAYMENT_STATES),
        captured: z.int(),
        refunded: z.int(),
        currency: z.string(),
        capturedAt: time.nullable(),
      })
      .nullable()
      .openapi({ description: 'Amounts are minor units' }),
    shipment: z
      .strictObject({
        status: z.enum(SHIPMENT_STATES),
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
      .openapi({ description: 'What blocks the order, or why it ended. Staff read the details, customers a sentence for each type' }),
    cancellation: orNull(cancellationSchema).openapi({ description: 'Null if nobody has requested one in this generation' }),
    generation: z.int().openapi({ description: 'Which start of the order this is, from 1. A restart adds one' }),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({
      self: z.string(),
      saga: z.string(),
      events: z.string(),
      cancel: z.string(),
      invoice: z.string(),
      workflow: z.string().optional().openapi({ description: 'The run in the Temporal Web UI. For staff' }),
    }),
  })
  .openapi('Order');

export type OrderView = z.infer<typeof orderSchema>;

/** @returns an order as it was when it was accepted: nothing has happened to it yet */
export function acceptedOrderView(order: AcceptedOrder, links: Links, caller: Caller): OrderView {
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
    cancellation: null,
    generation: order.generation,
    createdAt: order.createdAt,
    updatedAt: order.createdAt,
    links: linksOf(order, links, caller),
  };
}

/** @returns an order as API and command line show it to a caller */
export function orderView(record: OrderRecord, links: Links, caller: Caller): OrderView {
  const { order, items, payment, shipment, invoice } = record;
  const { currency, line1, city, postalCode, country } = order;
  return {
    id: order.id,
    status: order.status,
    total: { amount: order.amount, currency },
    items: itemViews(items, currency),
    customer: { email: order.customerEmail, name: order.customerName },
    shippingAddress: { line1, city, postalCode, country },
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
    failure: failureFor(caller, record),
    cancellation: cancellationView(order, caller),
    generation: order.generation,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    links: linksOf(order, links, caller),
  };
}

const linksOf = ({ id }: { id: string }, links: Links, caller: Caller): OrderView['links'] => ({
  ...links.order(id),
  ...links.runFor(caller, orderWorkflowId(id)),
});

/** @returns the order as it is now. @throws RequestError `not_found` when it does not exist or the caller may not see it */
export const loadOrder = async (db: Database, links: Links, caller: Caller, id: string): Promise<OrderView> =>
  orderView(await readOrder(db, caller, id), links, caller);

const itemViews = (
  items: { sku: string; name: string; quantity: number; unitAmount: number }[],
  currency: string,
): OrderView['items'] =>
  items.map(({ sku, name, quantity, unitAmount }) => ({
    sku,
    name,
    quantity,
    unitPrice: { amount: unitAmount, currency },
  }));

const ENDED_BADLY: readonly OrderStatus[] = ['compensating', 'cancelled', 'failed'];

function failureFor(caller: Caller, { order, blockedBy }: OrderRecord): OrderView['failure'] {
  if (blockedBy) {
    const error = errorViewFor(caller, blockedBy.errorType, blockedBy.errorMessage);
    return error && { ...error, step: blockedBy.step };
  }
  return ENDED_BADLY.includes(order.status) ? errorViewFor(caller, order.failureType, order.failureMessage) : null;
}
