import { setTimeout as sleep } from 'node:timers/promises';

/** At most how many questions are asked at once. Reconciliation must never slow down the work that it checks. */
const AT_ONCE = 8;

/** Does something with each item, a few at a time. @returns the results, in the order of the items */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}

/** ms between two questions to an outside service: ten a second. Stripe takes a hundred reads a second, from all of us. */
const INTERVAL = 100;

/** @returns a function that waits until the next question may be asked */
export function createPace(): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = performance.now();
    const turn = Math.max(now, next);
    next = turn + INTERVAL;
    if (turn > now) await sleep(turn - now);
  };
}
