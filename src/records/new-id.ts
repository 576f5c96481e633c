import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Bytes of randomness in an id. */
const SIZE = 16;
/** Random bytes for the next ids. To ask the system for them takes longer than everything else about an id. */
const pool = new Uint8Array(256 * SIZE);
let used = pool.length;

function takeRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += SIZE;
  return pool.subarray(used - SIZE, used);
}

/** @returns a new UUID. Version 7 begins with the time, so what is written together is found together in an index. */
export const newId = (): string => v7({ rng: takeRandom });
