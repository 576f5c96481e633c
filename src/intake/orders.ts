import { and, eq, inArray } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { DecideApproval } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import { CANCELLABLE_ORDER_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { recordOrderEvent } from '../db/order-status.ts';
import { orderItems, orders, products } from '../db/schema.ts';
import { actorOf, ownerFilter, type Caller } from './caller.ts';
import { enqueueCommand } from './commands.ts';
import { IntakeError, notFound } from './errors.ts';
import { createOnce, type IdempotentRequest, type Once } from './idempotency.ts';

/** What a customer asks for. It has no price: that comes from the catalogue. */
export interface NewOrder {
  customer: { email: string; name: string };
  shippingAddress: { line1: string; city: string; postalCode: string; country: string };
  items: { sku: string; quantity: number }[];
  payment: { method: string };
}

const acceptedOrder = z.object({
  id: z.uuid(),
  generation: z.int(),
  status: z.literal('accepted'),
  amount: z.int(),
  currency: z.string(),
  items: z.array(z.object({ sku: z.string(), name: z.string(), quantity: z.int(), unitAmount: z.int() })),
  customer: z.object({ email: z.string(), name: z.string() }),
  shippingAddress: z.object({ line1: z.string(), city: z.string(), postalCode: z.string(), country: z.string() }),
  createdAt: z.iso.datetime(),
});

/** An order as it was when it was taken. `createdAt` is ISO 8601. Amounts are minor units. */
export type AcceptedOrder = z.infer<typeof acceptedOrder>;

/** The `integer` columns of Postgres end here. */
const LARGEST_AMOUNT = 2_147_483_647;

/**
 * Takes an order: once this returns it is not lost, whatever becomes of Temporal or of this process.
 * @throws IntakeError `unknown_product`, `duplicate_item`, `mixed_currencies` (each with a pointer to the item),
 * `total_too_large` or `idempotency_key_reused`
 */
export const acceptOrder = (
  db: Database,
  caller: Caller,
  { order, ...request }: IdempotentRequest & { order: NewOrder },
): Promise<Once<AcceptedOrder>> =>
  createOnce(db, caller, request, acceptedOrder, async (tx) => {
    const made = await insertOrder(tx, caller, order);
    return { made, location: `/v1/orders/${made.id}` };
  });

async function insertOrder(tx: Transaction, caller: Caller, order: NewOrder): Promise<AcceptedOrder> {
  const { items, amount, currency } = await price(tx, order.items);
  const ref = { orderId: uuid(), generation: 1 };
  const createdAt = new Date();
  await tx.insert(orders).values({
    id: ref.orderId,
    owner: caller.keyId,
    generation: ref.generation,
    status: 'accepted',
    amount,
    currency,
    paymentMethod: order.payment.method,
    customerEmail: order.customer.email,
    customerName: order.customer.name,
    ...order.shippingAddress,
    createdAt,
    updatedAt: createdAt,
  });
  await tx.insert(orderItems).values(items.map((item, position) => ({ orderId: ref.orderId, position, ...item })));
  await recordOrderEvent(tx, ref, 'accepted');
  await enqueueCommand(tx, { type: 'start_order', ...ref, amount, currency });
  return {
    id: ref.orderId,
    generation: ref.generation,
    status: 'accepted',
    amount,
    currency,
    items,
    customer: order.customer,
    shippingAddress: order.shippingAddress,
    createdAt: createdAt.toISOString(),
  };
}

async function price(tx: Transaction, wanted: NewOrder['items']) {
  const catalogue = await tx
    .select()
    .from(products)
    .where(
      and(
        eq(products.active, true),
        inArray(
          products.sku,
          wanted.map((item) => item.sku),
        ),
      ),
    );
  const seen = new Set<string>();
  let currency: string | undefined;
  const items = wanted.map(({ sku, quantity }, index) => {
    const product = catalogue.find((candidate) => candidate.sku === sku);
    const pointer = `/items/${index}/sku`;
    if (!product) throw new IntakeError('unknown_product', `There is no product ${sku} on sale.`, pointer);
    if (seen.has(sku)) throw new IntakeError('duplicate_item', `${sku} is in this order already.`, pointer);
    seen.add(sku);
    currency ??= product.currency;
    if (product.currency !== currency) {
      throw new IntakeError('mixed_currencies', `An order has one currency, and ${sku} is not in ${currency}.`, pointer);
    }
    return { sku, name: product.name, quantity, unitAmount: product.amount };
  });
  const amount = items.reduce((sum, item) => sum + item.quantity * item.unitAmount, 0);
  if (amount > LARGEST_AMOUNT) throw new IntakeError('total_too_large', 'The order is too large.', '/items');
  if (!currency) throw new IntakeError('unknown_product', 'An order has at least one item.', '/items');
  return { items, amount, currency };
}

/** The row is locked: of two requests at once, the second sees what the first has decided. */
async function lockOrder(tx: Transaction, caller: Caller, orderId: string) {
  const owner = ownerFilter(caller);
  const [order] = await tx
    .select()
    .from(orders)
    .where(and(eq(orders.id, orderId), owner ? eq(orders.owner, owner) : undefined))
    .for('update');
  if (!order) throw notFound('order');
  return order;
}

const UNDER_CANCELLATION: readonly OrderStatus[] = [...CANCELLABLE_ORDER_STATUSES, 'compensating', 'cancelled'];

/**
 * Asks for an order to be cancelled. Harmless when repeated.
 * @param reason in the words of who asks
 * @param actor who asks, where it is not a key
 * @throws IntakeError `not_found`, or `order_not_cancellable` when it is with the carrier or has ended
 */
export async function requestCancellation(
  db: Pick<Database, 'transaction'>,
  caller: Caller,
  orderId: string,
  reason: string,
  actor = actorOf(caller),
): Promise<void> {
  await db.transaction(async (tx) => {
    const order = await lockOrder(tx, caller, orderId);
    if (order.cancellationReason !== null && UNDER_CANCELLATION.includes(order.status)) return;
    if (!CANCELLABLE_ORDER_STATUSES.includes(order.status)) {
      throw new IntakeError('order_not_cancellable', `The order is ${order.status} and can no longer be cancelled.`);
    }
    await tx.update(orders).set({ cancellationReason: reason }).where(eq(orders.id, orderId));
    await enqueueCommand(tx, { type: SIGNALS.cancelOrder, orderId, message: { reason, actor } });
  });
}

/**
 * Records a person's decision on an order that waits for one. The first decision counts.
 * @param caller support or operator: the caller's role is for the API to check
 * @throws IntakeError `not_found`, or `approval_not_awaited` when nothing is, or is still, to be decided
 */
export async function decideApproval(
  db: Database,
  caller: Caller,
  orderId: string,
  { decision, reason }: Omit<DecideApproval, 'actor'>,
): Promise<void> {
  await db.transaction(async (tx) => {
    const order = await lockOrder(tx, caller, orderId);
    if (order.status !== 'awaiting_approval' || order.approvalDecision !== null) {
      throw new IntakeError('approval_not_awaited', 'The order does not wait for a decision.');
    }
    await tx.update(orders).set({ approvalDecision: decision }).where(eq(orders.id, orderId));
    const message = { decision, reason, actor: actorOf(caller) };
    await enqueueCommand(tx, { type: SIGNALS.decideApproval, orderId, message });
  });
}
