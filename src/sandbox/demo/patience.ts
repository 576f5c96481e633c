import { setTimeout as sleep } from 'node:timers/promises';

/** How long the demo waits for something that must happen, in milliseconds. On a busy machine much takes its time. */
const PATIENCE_MS = 300_000;
/** Between two looks, in milliseconds. Twenty orders, each looked at so often, stay within the rate limit of one key. */
const PAUSE_MS = 500;

/** Looks until there is a value. @throws Error if there is none in time */
export async function eventually<Value>(look: () => Promise<Value | undefined>, patienceMs = PATIENCE_MS): Promise<Value> {
  const deadline = Date.now() + patienceMs;
  do {
    const value = await look();
    if (value !== undefined) return value;
    await sleep(PAUSE_MS);
  } while (Date.now() < deadline);
  throw new Error(`Nothing happened within ${patienceMs / 1_000} s.`);
}
