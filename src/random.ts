import { randomFillSync } from 'node:crypto';

/** Bytes for the next callers. To ask the system for a few takes longer than what they are needed for. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/**
 * @param size at most 4096
 * @returns random bytes, fit for keys. They are overwritten later, so use them at once
 */
export function takeRandom(size: number): Uint8Array {
  if (used + size > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += size;
  return pool.subarray(used - size, used);
}
