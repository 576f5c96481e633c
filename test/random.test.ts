import { expect, it } from 'vitest';
import { takeRandom } from '../src/random.ts';
import { newId } from '../src/records/new-id.ts';

it('gives nobody the bytes of another, also after the pool was filled again', () => {
  const taken = Array.from({ length: 2_000 }, () => Buffer.from(takeRandom(12)).toString('hex'));
  expect(new Set(taken).size).toBe(taken.length);
});

it('makes ids that begin with the time and are all different', () => {
  const before = Date.now();
  const ids = Array.from({ length: 1_000 }, newId);
  const after = Date.now();
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(after);
  }
});
