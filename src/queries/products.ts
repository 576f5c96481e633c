import { asc, eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { products, stock } from '../db/schema.ts';

/** @returns what is on sale and how many are in stock, by SKU. Amounts are minor units */
export async function listProducts(db: Database) {
  return await db
    .select({
      sku: products.sku,
      name: products.name,
      amount: products.amount,
      currency: products.currency,
      available: stock.available,
    })
    .from(products)
    .leftJoin(stock, eq(stock.sku, products.sku))
    .where(eq(products.active, true))
    .orderBy(asc(products.sku));
}
