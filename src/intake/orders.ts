import { and, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { actorOf, ownerFilter, type Caller, type Instruction } from '../contracts/caller.ts';
import type { Address } from '../contracts/fields.ts';
import { RequestError } from '../contracts/request-error.ts';
import type { Database } from '../db/client.ts';
import { products } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { requestCancellation } from '../records/cancellations.ts';
import type { IdempotentRequest, Once } from '../records/idempotency.ts';
import { lockOrder } from '../records/orders.ts';
import { acceptOnce } from './accept-once.ts';
import { acceptOrders, LARGEST_AMOUNT, type OrderRequest } from './accept-orders.ts';
import { handleTogether, perDatabase } from './group.ts';

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

/** One group for each pool of connections. */
const grouped = perDatabase((db) => handleTogether((requests: OrderRequest[]) => acceptOrders(db, requests)));

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
  acceptOnce(db, caller, request, {
    path: '/v1/orders',
    schema: acceptedOrder,
    async accept(id) {
      const { customer, shippingAddress, items, payment } = order;
      const about = { id, owner: caller.keyId, customer, shippingAddress, items, paymentMethod: payment.method };
      const priced = await grouped(db)({ ...request, ...about });
      return priced && { id, generation: 1, status: 'accepted', ...priced, customer, shippingAddress };
    },
    refuse: () => refuseUnpriced(db, order.items),
  });

/** @throws RequestError if the catalogue cannot price these items */
async function refuseUnpriced(db: Database, wanted: NewOrder['items']): Promise<void> {
  const skus = wanted.map(({ sku }) => sku);
  const catalogue = await db.select().from(products).where(and(eq(products.active, true), inArray(products.sku, skus)));
  const seen = new Set<string>();
  let currency: string | undefined;
  let amount = 0;
  for (const [index, { sku, quantity }] of wanted.entries()) {
    const product = catalogue.find((candidate) => candidate.sku === sku);
    const pointer = `/items/${index}/sku`;
    if (!product) throw new RequestError('unknown_product', `The product ${sku} is not on sale.`, pointer);
    if (seen.has(sku)) throw new RequestError('duplicate_item', `${sku} is listed twice.`, pointer);
    seen.add(sku);
    currency ??= product.currency;
    if (product.currency !== currency) {
      throw new RequestError('mixed_currencies', `All items need the same currency, and ${sku} is not in ${currency}.`, pointer);
    }
    amount += quantity * product.amount;
  }
  if (amount > LARGEST_AMOUNT) throw new RequestError('total_too_large', 'The order is too large.', '/items');
}

/**
 * Cancels an order for the customer it belongs to. Harmless when repeated.
 * @param reason in the customer's words
 * @throws RequestError `not_found`, or `order_not_cancellable` when the parcel has left or the order has ended
 */
export const cancelOrder = (db: Database, caller: Caller, orderId: string, reason: string): Promise<void> =>
  cancel(db, orderId, { actor: actorOf(caller), reason }, ownerFilter(caller));

/** Cancels an order for whoever has the link from its emails, like `cancelOrder`. */
export const cancelLinkedOrder = (db: Database, orderId: string): Promise<void> =>
  cancel(db, orderId, { actor: 'customer', reason: "Cancelled on the customer's page." });

async function cancel(db: Database, orderId: string, instruction: Instruction, owner?: string): Promise<void> {
  await transaction(db, async (tx) => requestCancellation(tx, await lockOrder(tx, orderId, owner), instruction));
}
