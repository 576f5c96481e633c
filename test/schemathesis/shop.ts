import { setTimeout as sleep } from 'node:timers/promises';
import { FINAL_ORDER_STATUSES } from '../../src/contracts/statuses.ts';
import { SCENARIOS, type Scenario } from '../../src/sandbox/demo/scenarios.ts';
import { openShop, type Access, type DemoOrder } from '../../src/sandbox/demo/shop.ts';
import { setFault } from '../../src/sandbox/fault-panels.ts';

const PATIENCE_MS = 120_000;

/** Each kind of order, once. None is acted on, so the samovar stays for an approval. */
const KINDS = SCENARIOS.filter(({ afterwards, name }, index) => !afterwards && SCENARIOS.findIndex((other) => other.name === name) === index);
const SAMOVAR = SCENARIOS.filter(({ items }) => items.some(({ sku }) => sku === 'SAMOVAR-BRASS')).slice(0, 1);
const PARKED = KINDS.slice(0, 2);

/** Fills a shop with signups, and with orders that are completed, failed, wait for an approval, or are parked by a failure. */
export async function fillShop(access: Access): Promise<void> {
  const shop = openShop(access);
  const place = (scenarios: readonly Scenario[]) => Promise.all(scenarios.map((scenario) => shop.place(scenario)));
  /** Waits until orders have ended or are parked. */
  async function settled(orders: DemoOrder[]): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let open = orders; open.length > 0 && Date.now() < deadline; await sleep(500)) {
      open = (await Promise.all(open.map(({ id }) => shop.look(id)))).filter(({ status }) => !FINAL_ORDER_STATUSES.includes(status) && status !== 'needs_attention');
    }
  }

  const signups = Promise.all([shop.signUp('pending_verification'), shop.signUp('trial'), shop.signUp('subscribed')]);
  await place(SAMOVAR);
  await settled(await place(KINDS));
  await setFault(access.warehouseUrl, { mode: 'error_before' });
  await settled(await place(PARKED));
  await setFault(access.warehouseUrl, null);
  await signups;
}
