import { formatMoney } from '../../contracts/money.ts';
import { FINAL_ORDER_STATUSES } from '../../contracts/statuses.ts';
import { eventually } from './patience.ts';
import type { Scenario } from './scenarios.ts';
import type { DemoOrder, Shop } from './shop.ts';

/** An order of the demo. */
export interface Row {
  number: number;
  scenario: Scenario;
  order: DemoOrder;
  acted: boolean;
}

export const hasEnded = ({ order }: Row): boolean => FINAL_ORDER_STATUSES.includes(order.status);
export const isParked = ({ order }: Row): boolean => order.status === 'needs_attention';

/** Places an order for each scenario, all at once. */
export const placeAll = (shop: Shop, numbered: { number: number; scenario: Scenario }[]): Promise<Row[]> =>
  Promise.all(numbered.map(async ({ number, scenario }) => ({ number, scenario, order: await shop.place(scenario), acted: false })));

/** Prints how the orders change, and acts on them as their scenarios say, until all are as wanted. */
export async function followAll(shop: Shop, rows: Row[], isDone: (row: Row) => boolean): Promise<void> {
  await eventually(async () => {
    await Promise.all(rows.filter((row) => !isDone(row)).map((row) => follow(shop, row)));
    return rows.every(isDone) ? true : undefined;
  });
}

/** Follows orders to their end. On a very busy machine, one may be parked on the way: an operator then retries it. */
export async function followToTheEnd(shop: Shop, rows: Row[]): Promise<void> {
  for (;;) {
    await followAll(shop, rows, (row) => hasEnded(row) || isParked(row));
    if (rows.every(hasEnded)) return;
    console.log('\nAn order is parked. An operator retries it.\n');
    await retryParked(shop, rows);
  }
}

/** Retries all parked orders, and waits until none is parked any more. @returns the id of the bulk action */
export async function retryParked(shop: Shop, rows: Row[]): Promise<string> {
  const { id } = await shop.retryParked();
  await followAll(shop, rows, (row) => !isParked(row));
  return id;
}

async function follow(shop: Shop, row: Row): Promise<void> {
  const before = row.order.status;
  row.order = await shop.look(row.order.id);
  const { status, failure } = row.order;
  if (status !== before) {
    const why = failure ? ` (${failure.type})` : '';
    console.log(`${String(row.number).padStart(2)}  ${row.scenario.name.padEnd(20)} ${before} → ${status}${why}`);
  }
  const { afterwards } = row.scenario;
  if (afterwards?.when.includes(status) && !row.acted) {
    row.acted = true;
    await shop.act(row.order.id, afterwards.action);
  }
}

/** Prints a table of the orders. @returns how many ended as expected */
export function printOutcomes(rows: readonly Row[]): number {
  console.log(`\n${rowText('', 'order', 'total', 'kept', 'outcome')}`);
  for (const { number, scenario, order } of rows) {
    const { amount, currency } = order.total;
    const kept = (order.payment?.captured ?? 0) - (order.payment?.refunded ?? 0);
    const outcome = order.failure ? `${order.status}: ${order.failure.type}` : order.status;
    const mark = order.status === scenario.ends ? '' : `  expected ${scenario.ends}`;
    console.log(rowText(String(number), scenario.name, formatMoney(amount, currency), formatMoney(kept, currency), `${outcome}${mark}`));
  }
  return rows.filter(({ order, scenario }) => order.status === scenario.ends).length;
}

const rowText = (number: string, order: string, total: string, kept: string, outcome: string): string =>
  [number.padStart(2), order.padEnd(18), total.padStart(9), kept.padStart(9), outcome].join('  ');

/** Prints where to look next. */
export function printLinks(title: string, links: [string, string][]): void {
  console.log(`\n${title}`);
  for (const [name, url] of links) console.log(`  ${name.padEnd(16)} ${url}`);
}
