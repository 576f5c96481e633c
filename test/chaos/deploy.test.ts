import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inArray } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orders } from '../../src/db/schema.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { bundleChangedWorkflows, type Change } from '../support/changed-workflows.ts';
import { expectSound } from '../support/audit.ts';
import { useNamespace } from '../support/namespace.ts';
import { startWorker } from '../support/service-process.ts';
import { useShop } from '../support/shop.ts';

/** A release in which an order waits a moment before its parcel is taken as shipped. */
const PAUSE_BEFORE_SHIPPED: Change = {
  file: 'order.ts',
  imports: ['sleep'],
  change: (code) =>
    code.replace(/^ *showStatus\('shipped'.*$/m, (line) => `if (patched('pause-before-shipped')) await sleep('10 ms');\n${line}`),
};

/** Orders in each wave. */
const ORDERS = 8;

const temporal = await useNamespace();
const shop = await useShop();

const placeOrders = async () =>
  await Promise.all(Array.from({ length: ORDERS }, async () => (await shop.placeOrder()).orderId));

async function until(ids: readonly string[], status: string): Promise<void> {
  const others = async () => {
    const rows = await shop.db.select().from(orders).where(inArray(orders.id, [...ids]));
    return rows.filter((row) => row.status !== status).map((row) => `${row.id}: ${row.status}`);
  };
  await expect.poll(others, { timeout: 90_000, interval: 100 }).toEqual([]);
}

async function deliver(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await shop.carrier(id, 'shipped');
    await shop.carrier(id, 'delivered');
  }
}

it('finishes the orders of both releases while a changed worker takes over from the old one', { timeout: 240_000 }, async () => {
  const changed = join(shop.folder, 'changed.js');
  await writeFile(changed, await bundleChangedWorkflows([PAUSE_BEFORE_SHIPPED]));
  const environment = { ...shop.environment, ...temporal.environment };

  const old = await startWorker(environment);
  const before = await placeOrders();
  await until(before, 'fulfilling');
  const fresh = await startWorker({ ...environment, WORKFLOW_BUNDLE: changed });
  // Both workers take tasks now. Some orders are shipped by the old code, some by the new.
  const during = await placeOrders();
  await deliver(before.slice(0, ORDERS / 2));
  await until(during, 'fulfilling');
  expect(await old.stop()).toBe(0);

  await deliver([...before.slice(ORDERS / 2), ...during]);
  const all = [...before, ...during];
  await until(all, 'completed');
  for (const id of all) await expectSound(shop, id);
  // An order is completed before its run is: the last email comes after.
  for (const id of all) {
    expect(await temporal.client.workflow.getHandle(orderWorkflowId(id)).result()).toEqual({ status: 'completed' });
  }
  expect(await fresh.stop()).toBe(0);
});
