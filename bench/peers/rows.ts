import { Pool, type PoolClient } from 'pg';
import type { z } from 'zod';
import type { newOrderSchema } from '../../src/api/routes/create-order.ts';
import type { OrderStatus } from '../../src/contracts/statuses.ts';

/** What the steps need to know of an order. */
export interface OrderRow {
  amount: number;
  currency: string;
  payment_method: string;
  customer_email: string;
  customer_name: string;
  line1: string;
  city: string;
  postal_code: string;
  country: string;
}

export type Rows = ReturnType<typeof connectRows>;

/**
 * The rows of the shop, in the tables of Holdfast, without those in which Holdfast keeps its promises: idempotency keys,
 * commands, steps and failures.
 * @param options `max` connections, and the `name` to show in `pg_stat_activity`
 */
export function connectRows(url: string, { max, name }: { max: number; name: string }) {
  const pool = new Pool({ connectionString: url, max, application_name: name });

  async function transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  }

  return {
    async insertOrder(id: string, owner: string, order: z.output<typeof newOrderSchema>): Promise<void> {
      const { customer, shippingAddress: address, items, payment } = order;
      await transaction(async (client) => {
        const { rows: products } = await client.query<{ sku: string; name: string; amount: number; currency: string }>(
          'select sku, name, amount, currency from products where active and sku = any ($1)',
          [items.map(({ sku }) => sku)],
        );
        const priced = items.map(({ sku, quantity }, position) => {
          const product = products.find((one) => one.sku === sku);
          if (!product) throw new Error(`The product ${sku} is not on sale.`);
          return { ...product, quantity, position };
        });
        const amount = priced.reduce((sum, item) => sum + item.amount * item.quantity, 0);
        await client.query(
          `insert into orders (id, owner, status, amount, currency, payment_method, customer_email, customer_name, line1, city, postal_code, country)
          values ($1, $2, 'accepted', $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
          [
            id,
            owner,
            amount,
            priced[0]?.currency,
            payment.method,
            customer.email,
            customer.name,
            address.line1,
            address.city,
            address.postalCode,
            address.country,
          ],
        );
        for (const item of priced) {
          await client.query(
            'insert into order_items (order_id, sku, position, name, quantity, unit_amount) values ($1, $2, $3, $4, $5, $6)',
            [id, item.sku, item.position, item.name, item.quantity, item.amount],
          );
        }
        await client.query("insert into order_events (order_id, generation, status) values ($1, 1, 'accepted')", [id]);
      });
    },

    async findOrder(id: string): Promise<OrderRow> {
      const { rows } = await pool.query<OrderRow>('select * from orders where id = $1', [id]);
      if (!rows[0]) throw new Error(`There is no order ${id}.`);
      return rows[0];
    },

    async findItems(id: string): Promise<{ sku: string; quantity: number }[]> {
      const { rows } = await pool.query<{ sku: string; quantity: number }>(
        'select sku, quantity from order_items where order_id = $1 order by position',
        [id],
      );
      return rows;
    },

    /** Writes a status, its event, and what else belongs to it, in one transaction. */
    async setStatus(id: string, status: OrderStatus, effect: (client: PoolClient) => Promise<unknown>): Promise<void> {
      await transaction(async (client) => {
        await effect(client);
        await client.query('update orders set status = $2, updated_at = now() where id = $1', [id, status]);
        await client.query('insert into order_events (order_id, generation, status) values ($1, 1, $2)', [id, status]);
      });
    },

    transaction,

    async query(text: string, values: unknown[]): Promise<void> {
      await pool.query(text, values);
    },
  };
}
