import type { Database } from './client.ts';
import { products, stock } from './schema.ts';
import { transaction } from './transaction.ts';

const CATALOGUE = [
  { sku: 'TEA-EARL-GREY', name: 'Earl Grey, 100 g', amount: 890, available: 10_000 },
  { sku: 'TEA-SENCHA', name: 'Sencha, 100 g', amount: 1_250, available: 10_000 },
  { sku: 'POT-CAST-IRON', name: 'Cast-iron teapot', amount: 8_900, available: 500 },
  { sku: 'CUP-PORCELAIN', name: 'Porcelain cup', amount: 1_900, available: 2_000 },
  { sku: 'SAMOVAR-BRASS', name: 'Brass samovar', amount: 64_900, available: 50 },
  { sku: 'TEA-GYOKURO-RARE', name: 'Gyokuro, first flush, 50 g (sold out)', amount: 7_400, available: 0 },
];

/** Adds a small catalogue, priced in EUR. Existing prices and stock stay as they are. */
export async function seedCatalogue(db: Database): Promise<void> {
  await transaction(db, async (tx) => {
    const items = CATALOGUE.map(({ sku, name, amount }) => ({ sku, name, amount, currency: 'EUR' }));
    await tx.insert(products).values(items).onConflictDoNothing();
    await tx
      .insert(stock)
      .values(CATALOGUE.map(({ sku, available }) => ({ sku, available, received: available })))
      .onConflictDoNothing();
  });
}
