import { expect, it } from 'vitest';
import { readShopSettings, SHOP_WINDOW } from '../../../src/sandbox/shop/settings.ts';
import { OrderForm } from '../../../src/sandbox/shop/order.tsx';

const WINDOW = JSON.stringify({
  apiUrl: 'http://127.0.0.1:9',
  customerKey: 'hf',
  inboxUrl: null,
  temporalUiUrl: null,
  namespace: 'default',
  paymentsUrl: null,
  warehouseUrl: null,
});
const DRAFT = { key: '1', sku: 'POT', quantity: '1', card: 'pm_card_visa', address: 'london', name: 'Ada', email: 'ada@example.com' };

it.each([
  [{}, ['Samovar']],
  [{ APPROVAL_THRESHOLD: '' }, ['Samovar']],
  [{ APPROVAL_THRESHOLD: '8899' }, ['Pot', 'Samovar']],
  [{ APPROVAL_THRESHOLD: '64900' }, []],
])('says of a product that it has to be approved, by the threshold of the orders: %o', async (variables, expected) => {
  const { approvalThreshold } = readShopSettings({ ...variables, [SHOP_WINDOW]: WINDOW });
  const products = [{ name: 'Pot', amount: 8_900 }, { name: 'Samovar', amount: 64_900 }].map(({ name, amount }) => ({
    sku: name.toUpperCase(),
    name,
    price: { amount, currency: 'EUR' },
    available: 1,
  }));
  const form = String(await OrderForm({ products, approvalThreshold, draft: DRAFT, shown: {} }));
  expect(Array.from(form.matchAll(/>(\w+)<small>Has to be approved/g), ([, name]) => name)).toEqual(expected);
});
