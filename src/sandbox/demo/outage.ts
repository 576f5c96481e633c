import { formatMoney } from '../../contracts/money.ts';
import type { SetFault } from './faults.ts';
import { eventually } from './patience.ts';
import { followAll, followToTheEnd, isParked, placeAll, printLinks, printOutcomes, retryParked } from './rows.ts';
import { PACKET_OF_TEA } from './scenarios.ts';
import type { Shop } from './shop.ts';

const ORDERS = 5;
/** An alert waits up to 30 s, so that its count is true. There is none if the last outage was just now: its alert is still open. */
const ALERT_WITHIN_MS = 60_000;

/** The warehouse goes down. Orders are parked, an alert is sent, the warehouse is back, and all are retried at once. @returns whether all were completed */
export async function outage(shop: Shop, setFault: SetFault): Promise<boolean> {
  const known = new Set((await shop.alerts()).map(({ id }) => id));

  console.log(`The warehouse is down. ${ORDERS} orders come in. Each is retried for about 15 s, and is then parked: paid, and not lost.\n`);
  await setFault({ mode: 'down' });
  const numbered = Array.from({ length: ORDERS }, (_, index) => ({ number: index + 1, scenario: PACKET_OF_TEA }));
  const rows = await placeAll(shop, numbered);
  await followAll(shop, rows, isParked);

  const alert = await eventually(async () => (await shop.alerts()).find(({ id, subject }) => !known.has(id) && !subject.includes('Resolved')), ALERT_WITHIN_MS).catch(() => undefined);
  if (alert) {
    console.log(`\nThe people on call have one mail, not ${ORDERS}:\n`);
    console.log([alert.subject, '', ...alert.text.trim().split('\n')].map((line) => `  | ${line}`).join('\n'));
  } else {
    console.log('\nThe people on call had a mail about the last outage a moment ago. Its alert is still open, and counts this outage, too.');
  }

  console.log('\nThe warehouse is back. An operator asks first what a retry of all parked orders would do:');
  await setFault(null);
  const { accepted, sums } = await shop.planRetry();
  console.log(`  ${accepted} orders would be retried, worth ${sums.map(({ amount, currency }) => formatMoney(amount, currency)).join(', ')}.`);
  console.log('\nThen the operator retries them, in one bulk action.\n');
  const id = await retryParked(shop, rows);
  await followToTheEnd(shop, rows);
  const { progress } = await eventually(async () => {
    const bulkAction = await shop.bulkAction(id);
    return bulkAction.state === 'completed' && bulkAction.progress.waiting === 0 ? bulkAction : undefined;
  });

  const right = printOutcomes(rows);
  console.log(`\n${progress.succeeded} of ${progress.total} retries succeeded. ${right} of ${rows.length} orders are completed.`);
  const [first] = rows;
  const [latest] = await shop.alerts();
  printLinks('What happened, for you to read:', [
    ...(first ? shop.linksTo(first.order) : []),
    ['the bulk action', shop.linkToBulkAction(id)],
    ['the alert', latest?.url ?? 'not sent yet'],
  ]);
  return right === rows.length;
}
