import { and, eq, inArray } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { actorOf, ownerFilter, type Caller } from '../contracts/caller.ts';
import type { Address } from '../contracts/fields.ts';
import { RequestError } from '../contracts/request-error.ts';
import type { Database, Transaction } from '../db/client.ts';
import { orderItems, orders, products } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { enqueueCommand } from '../records/commands.ts';
import { createOnce, type IdempotentRequest, type Once } from '../records/idempotency.ts';
import { recordOrderEvent } from '../records/order-status.ts';
import { lockOrder, requestCancellation } from '../records/orders.ts';

/** What a customer orders. Prices come from the catalogue. */
export interface NewOrder {
  customer: { email: string; name: string };
  shippingAddress: Address;
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

/** An order as it was when it was accepted. `createdAt` is ISO 8601. Amounts are minor units. */
export type AcceptedOrder = z.infer<typeof acceptedOrder>;

/** The largest value of an `integer` column in Postgres. */
const LARGEST_AMOUNT = 2_147_483_647;

/**
 * Accepts an order. Once this returns it is not lost, whatever happens to Temporal or this process.
 * @throws RequestError `unknown_product`, `duplicate_item`, `mixed_currencies` (each with a pointer to the item),
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
    if (!product) throw new RequestError('unknown_product', `The product ${sku} is not on sale.`, pointer);
    if (seen.has(sku)) throw new RequestError('duplicate_item', `${sku} is listed twice.`, pointer);
    seen.add(sku);
    currency ??= product.currency;
    if (product.currency !== currency) {
      throw new RequestError('mixed_currencies', `All items need the same currency, and ${sku} is not in ${currency}.`, pointer);
    }
    return { sku, name: product.name, quantity, unitAmount: product.amount };
  });
  const amount = items.reduce((sum, item) => sum + item.quantity * item.unitAmount, 0);
  if (amount > LARGEST_AMOUNT) throw new RequestError('total_too_large', 'The order is too large.', '/items');
  if (!currency) throw new RequestError('unknown_product', 'An order needs at least one item.', '/items');
  return { items, amount, currency };
}

/**
 * Cancels an order for the customer it belongs to. Harmless when repeated.
 * @param reason in the customer's words
 * @throws RequestError `not_found`, or `order_not_cancellable` when the carrier has the parcel or the order has ended
 */
export async function cancelOrder(db: Database, caller: Caller, orderId: string, reason: string): Promise<void> {
  await transaction(db, async (tx) => {
    const order = await lockOrder(tx, orderId, ownerFilter(caller));
    await requestCancellation(tx, order, { actor: actorOf(caller), reason });
  });
}
