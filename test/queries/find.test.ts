import { beforeAll, expect, it } from 'vitest';
import { invoices, payments, refunds, shipments } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { acceptSignup } from '../../src/intake/signups.ts';

import { writeBulkAction } from '../../src/operate/bulk-actions.ts';
import { find } from '../../src/queries/find.ts';
import { newId } from '../../src/records/new-id.ts';
import { openFailureOf } from '../support/failures.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;

const TRACKING = '00340434';
const INVOICE = 4711;

let ada: string;
let bob: string;
let payment: string;
let signup: string;
let failure: string;
beforeAll(async () => {
  const ref = await shop.placeOrder();
  ada = ref.orderId;
  bob = (await shop.placeOrder({ customer: { email: 'Bob@Example.com', name: 'Bob' } })).orderId;
  const money = { amount: 1780, currency: 'EUR' };
  payment = newId();
  await db.insert(payments).values({ ...ref, ...money, id: payment, state: 'captured', captured: 1780, refunded: 100, providerPaymentId: 'pi_ada' });
  await db.insert(refunds).values({ providerRefundId: 're_ada', paymentId: payment, amount: 100, status: 'succeeded' });
  await db.insert(shipments).values({ ...ref, state: 'shipped', warehouseId: 'w', trackingNumber: TRACKING });
  await db.insert(invoices).values({ ...ref, ...money, number: INVOICE });
  failure = (await openFailureOf(db, ref)).failureId;
  const { made } = await acceptSignup(db, shop.caller, {
    idempotencyKey: 'find',
    requestHash: 'find',
    signup: { email: 'bob@example.com', name: 'Bob' },
  });
  signup = made.id;
});

const kindsAndIds = async (text: string) => (await find(db, text)).map(({ kind, id }) => [kind, id]);

it('finds an order by everything that names it', async () => {
  const end = ada.slice(-8);
  const ids = [ada, ada.toUpperCase(), ` ${ada} `, end, end.toUpperCase(), `…${end}`, `order ${end}`];
  const pasted = [`Re: Your order ${end} is confirmed`, `http://shop.test/my/orders/${ada}/signature`, `order/${ada}`, `order:${ada}:1`];
  const names = [...ids, ...pasted, 'pi_ada', 're_ada', TRACKING, String(INVOICE), '004711', 'Invoice 004711', 'ADA@example.com'];
  const found = await Promise.all(names.map(async (text) => [text, await kindsAndIds(text)]));
  expect(found).toEqual(names.map((text) => [text, [['order', ada]]]));
});

it('finds the orders and the signups of an address, in any case', async () => {
  expect(await kindsAndIds('BOB@example.com')).toEqual([
    ['order', bob],
    ['signup', signup],
  ]);
});

it('finds signups, failures and bulk actions by id', async () => {
  const request = { action: 'retry', filter: {}, reason: 'The warehouse is back.', ratePerSecond: 1, dryRun: false } as const;
  const bulk = await transaction(db, (tx) => writeBulkAction(tx, request, 'cli:test'));
  expect(await kindsAndIds(signup)).toEqual([['signup', signup]]);
  expect(await kindsAndIds(failure)).toEqual([['failure', failure]]);
  expect(await find(db, bulk)).toMatchObject([{ kind: 'bulk action', id: bulk, about: 'retry' }]);
});

it.each(['', '%', "'", '\\', '0', '99999999999', 'ffffffff', 'nobody@example.com', newId(), 'x'.repeat(10_000), 'a b', 'in order deadbeefs', `shp_${newId()}`])(
  'finds nothing for %j',
  async (text) => {
    expect(await find(db, text)).toEqual([]);
  },
);
