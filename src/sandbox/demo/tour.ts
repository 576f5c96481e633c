import type { SetFault } from './faults.ts';
import { followAll, followToTheEnd, hasEnded, placeAll, printLinks, printOutcomes } from './rows.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import type { Shop } from './shop.ts';

const isCancelled = ({ scenario }: { scenario: Scenario }): boolean => scenario.ends === 'cancelled';

/** Twenty orders of every kind and three signups. @returns whether every order ended as expected */
export async function tour(shop: Shop, setFault: SetFault): Promise<boolean> {
  const signups = Promise.all([shop.signUp('pending_verification'), shop.signUp('trial'), shop.signUp('subscribed')]);
  // Awaited at the end. Until then, a rejection must not end the process before the warehouse is set back.
  signups.catch(() => {});
  const numbered = SCENARIOS.map((scenario, index) => ({ number: index + 1, scenario }));

  // The parcel cannot leave before the cancellation arrives, however slow this machine is.
  console.log('The warehouse takes no orders. Two customers have paid, do not want to wait, and cancel.\n');
  await setFault({ mode: 'down', operation: 'POST /v1/shipments' });
  const cancelled = await placeAll(shop, numbered.filter(isCancelled));
  await followAll(shop, cancelled, hasEnded);

  console.log('\nThe warehouse is back, but slow for its next six requests. Eighteen more orders.\n');
  await setFault({ mode: 'slow', delayMs: 1_500, count: 6 });
  const others = await placeAll(shop, numbered.filter((one) => !isCancelled(one)));
  await followToTheEnd(shop, others);

  const rows = [...cancelled, ...others].toSorted((one, other) => one.number - other.number);
  const right = printOutcomes(rows);
  console.log(`\nSignups: ${(await signups).join(', ')}`);
  console.log(`${right} of ${rows.length} orders ended as expected.`);
  // The one that was paid and refunded has the most to tell.
  const failed = rows.find(({ order }) => order.status === 'failed' && order.payment !== null && order.payment.refunded > 0);
  if (failed) printLinks(`One that failed, number ${failed.number} (${failed.scenario.name}):`, shop.linksTo(failed.order));
  return right === rows.length;
}
