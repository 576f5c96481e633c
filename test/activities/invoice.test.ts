import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { invoices } from '../../src/db/schema.ts';
import { invoiceNumbers } from '../support/audit.ts';
import { createShop, runActivity, type Shop } from '../support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());

it('numbers twenty concurrent invoices without a gap', async () => {
  const refs = await Promise.all(Array.from({ length: 20 }, () => shop.placeOrder()));
  const { issueInvoice } = shop.activities();
  await Promise.all(refs.map((ref) => runActivity(issueInvoice, ref)));
  expect(await invoiceNumbers(shop.db)).toEqual(refs.map((_, index) => index + 1));
});

it('leaves no gap if an invoice cannot be written', async () => {
  const last = (await invoiceNumbers(shop.db)).at(-1) ?? 0;
  const ref = await shop.placeOrder();
  await shop.database.listener.unsafe(`
    create function lose() returns trigger language plpgsql as $$ begin raise 'lost'; end $$;
    create trigger lose before insert on invoices for each row execute function lose()`);
  await expect(runActivity(shop.activities().issueInvoice, ref)).rejects.toThrow(/invoices/);
  await shop.database.listener`drop trigger lose on invoices`;
  await runActivity(shop.activities().issueInvoice, ref);
  const [invoice] = await shop.db.select().from(invoices).where(eq(invoices.orderId, ref.orderId));
  expect(invoice?.number).toBe(last + 1);
});

it('keeps the number of a void invoice', async () => {
  const ref = await shop.placeOrder();
  const { issueInvoice, voidInvoice } = shop.activities();
  await runActivity(issueInvoice, ref);
  const numbers = await invoiceNumbers(shop.db);
  await runActivity(voidInvoice, ref);
  expect(await invoiceNumbers(shop.db)).toEqual(numbers);
  const [invoice] = await shop.db.select().from(invoices).where(eq(invoices.orderId, ref.orderId));
  expect(invoice?.voidedAt).toBeInstanceOf(Date);
});
