// `npm run demo`: sends twenty orders and three signups through the stack that `npm start` runs.
import { setTimeout as sleep } from 'node:timers/promises';
import { formatMoney } from '../../contracts/money.ts';
import { localUrl } from '../ports.ts';
import { loadSecrets } from '../secrets.ts';
import { readSettings } from '../settings.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { hasEnded, openShop, type DemoOrder, type Shop } from './shop.ts';

const PATIENCE_MS = 120_000;

interface Row {
  number: number;
  scenario: Scenario;
  order: DemoOrder;
  acted: boolean;
}

try {
  const settings = readSettings(process.env);
  const secrets = await loadSecrets(settings.home);
  const shop = openShop({
    apiUrl: localUrl(settings.ports.api),
    inboxUrl: localUrl(settings.ports.inbox),
    warehouseUrl: localUrl(settings.ports.warehouse),
    customerKey: secrets.customerKey,
    supportKey: secrets.supportKey,
  });
  process.exitCode = (await run(shop)) ? 0 : 1;
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  console.error('The demo needs a running stack. Start one in another terminal: npm start');
  process.exitCode = 1;
}

/** @returns whether every order ended as expected */
async function run(shop: Shop): Promise<boolean> {
  console.log('The warehouse will be slow for its next six requests.\n');
  await shop.setWarehouseFault({ mode: 'slow', delayMs: 1_500, count: 6 });
  const signups = Promise.all([shop.signUp('pending_verification'), shop.signUp('trial'), shop.signUp('subscribed')]);
  const rows = await Promise.all(
    SCENARIOS.map(async (scenario, index) => {
      const order = await shop.place(scenario);
      return { number: index + 1, scenario, order, acted: false };
    }),
  );
  const deadline = Date.now() + PATIENCE_MS;
  while (rows.some(({ order }) => !hasEnded(order.status)) && Date.now() < deadline) {
    await Promise.all(rows.map((row) => follow(shop, row)));
    await sleep(250);
  }
  printOutcomes(rows);
  console.log(`\nSignups: ${(await signups).join(', ')}`);
  const right = rows.filter(({ order, scenario }) => order.status === scenario.ends).length;
  console.log(`${right} of ${rows.length} orders ended as expected.`);
  return right === rows.length;
}

async function follow(shop: Shop, row: Row): Promise<void> {
  if (hasEnded(row.order.status)) return;
  const before = row.order.status;
  row.order = await shop.look(row.order.id);
  const { status, failure } = row.order;
  if (status !== before) {
    const why = failure ? ` (${failure.type})` : '';
    console.log(`${String(row.number).padStart(2)}  ${row.scenario.name.padEnd(20)} ${before} → ${status}${why}`);
  }
  const { afterwards } = row.scenario;
  if (afterwards?.when === status && !row.acted) {
    row.acted = true;
    await shop.act(row.order.id, afterwards.action);
  }
}

function printOutcomes(rows: Row[]): void {
  console.log('\n    order                 total      kept  outcome');
  for (const { number, scenario, order } of rows) {
    const { amount, currency } = order.total;
    const kept = (order.payment?.captured ?? 0) - (order.payment?.refunded ?? 0);
    const outcome = order.failure ? `${order.status}: ${order.failure.type}` : order.status;
    const mark = order.status === scenario.ends ? ' ' : `  expected ${scenario.ends}`;
    console.log(
      [
        String(number).padStart(2),
        scenario.name.padEnd(18),
        formatMoney(amount, currency).padStart(9),
        formatMoney(kept, currency).padStart(9),
        `${outcome}${mark}`,
      ].join('  '),
    );
  }
}
