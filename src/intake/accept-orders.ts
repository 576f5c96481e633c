import type { Database } from '../db/client.ts';
import { notify } from '../db/notifications.ts';
import { COMMANDS_CHANNEL } from '../records/commands.ts';
import type { IdempotentRequest } from '../records/idempotency.ts';
import type { AcceptedOrder, NewOrder } from './orders.ts';

/** An order to accept. */
export interface OrderRequest extends IdempotentRequest, Omit<NewOrder, 'payment'> {
  id: string;
  owner: string;
  paymentMethod: string;
}

/** The largest value of an `integer` column in Postgres. */
export const LARGEST_AMOUNT = 2_147_483_647;

/** What the catalogue adds to an order, and when it was accepted. */
export type Priced = Pick<AcceptedOrder, 'amount' | 'currency' | 'items' | 'createdAt'>;

/**
 * Writes everything that accepting an order means: the key, the order and its items as the catalogue prices them, its first
 * status, and the command that starts it. Leaves out an order whose key was used, and one that cannot be priced.
 *
 * The keys are written in one order by all, so that two statements cannot wait for each other.
 */
const STATEMENT = `
with request as (
  select * from json_to_recordset($1) as request (
    id uuid, owner uuid, "idempotencyKey" text, "requestHash" text, "requestId" text, traceparent text, "paymentMethod" text,
    customer json, "shippingAddress" json
  )
), item as (
  select wanted.*, product.name, product.amount as unit_amount, product.currency
  from json_to_recordset($2) as wanted (order_id uuid, position int, sku text, quantity int)
  left join products as product on product.sku = wanted.sku and product.active
), priced as (
  select order_id as id, sum(quantity * unit_amount::bigint) as amount, min(currency) as currency,
    json_agg(json_build_object('sku', sku, 'name', name, 'quantity', quantity, 'unitAmount', unit_amount) order by position) as items
  from item group by order_id
  having bool_and(name is not null) and count(*) = count(distinct sku) and min(currency) = max(currency)
    and sum(quantity * unit_amount::bigint) <= ${LARGEST_AMOUNT}
), claimed as (
  insert into idempotency_keys (owner, key, request_hash, location, body)
  select owner, "idempotencyKey", "requestHash", '/v1/orders/' || id, jsonb_build_object(
    'id', id, 'generation', 1, 'status', 'accepted', 'amount', amount, 'currency', currency, 'items', items,
    'customer', customer, 'shippingAddress', "shippingAddress", 'createdAt', $3::text
  )
  from request join priced using (id) order by owner, "idempotencyKey"
  on conflict do nothing returning (body ->> 'id')::uuid as id
), made as (
  insert into orders (id, owner, generation, status, amount, currency, payment_method, customer_email, customer_name,
    line1, city, postal_code, country, created_at, updated_at)
  select id, owner, 1, 'accepted', amount, currency, "paymentMethod", customer ->> 'email', customer ->> 'name',
    "shippingAddress" ->> 'line1', "shippingAddress" ->> 'city', "shippingAddress" ->> 'postalCode', "shippingAddress" ->> 'country',
    $3::text::timestamptz, $3::text::timestamptz
  from request join priced using (id) join claimed using (id)
  returning id, amount, currency
), items as (
  insert into order_items (order_id, sku, position, name, quantity, unit_amount)
  select order_id, sku, position, name, quantity, unit_amount from item join made on made.id = order_id
), events as (
  insert into order_events (order_id, generation, status) select id, 1, 'accepted' from made
), started as (
  insert into commands (workflow_id, owner, body)
  select 'order/' || id, owner,
    jsonb_strip_nulls(jsonb_build_object(
      'type', 'start_order', 'orderId', id, 'generation', 1, 'amount', made.amount, 'currency', made.currency,
      'requestId', "requestId", 'traceparent', traceparent
    ))
  from made join request using (id)
)
select made.id, made.amount, made.currency, priced.items from made join priced using (id)`;

/** @returns what the catalogue adds to each order that was accepted, and undefined for the others */
export async function acceptOrders(db: Database, requests: OrderRequest[]): Promise<(Priced | undefined)[]> {
  const orders = requests.map(({ items: _items, ...order }) => order);
  const wanted = requests.flatMap(({ id, items }) => items.map((item, position) => ({ order_id: id, position, ...item })));
  const createdAt = new Date().toISOString();
  const { rows } = await db.$client.query<Omit<Priced, 'createdAt'> & { id: string }>({
    name: 'accept_orders',
    text: STATEMENT,
    values: [JSON.stringify(orders), JSON.stringify(wanted), createdAt],
  });
  if (rows.length > 0) notify(db.$client, COMMANDS_CHANNEL);
  const made = new Map(rows.map(({ id, ...priced }) => [id, { ...priced, createdAt }]));
  return requests.map(({ id }) => made.get(id));
}
