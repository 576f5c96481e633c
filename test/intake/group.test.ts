import { once } from 'node:events';
import { DatabaseError } from 'pg';
import { expect, it } from 'vitest';
import { handleTogether } from '../../src/intake/group.ts';

const refusal = (code: string) => Object.assign(new DatabaseError('refused', 0, 'error'), { code });

/** @returns a handler that doubles numbers once it is allowed to, and the groups that it was given */
function createHandler(failure: (group: number[]) => Error | undefined = () => undefined) {
  const groups: number[][] = [];
  const gate = new AbortController();
  const allowed = once(gate.signal, 'abort');
  const double = handleTogether(async (group: number[]) => {
    groups.push(group);
    await allowed;
    const error = failure(group);
    if (error) throw error;
    return group.map((number) => number * 2);
  });
  return { double, groups, allow: () => gate.abort() };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

it('handles a request that comes alone at once', async () => {
  const { double, groups, allow } = createHandler();
  const answer = double(1);
  expect(groups).toEqual([[1]]);
  allow();
  expect(await answer).toBe(2);
});

it('handles those together that come while two groups are under way, and gives each its own answer', async () => {
  const { double, groups, allow } = createHandler();
  const answers = numbers(1, 10).map(double);
  allow();
  expect(await Promise.all(answers)).toEqual(numbers(1, 10).map((number) => number * 2));
  expect(groups).toEqual([[1], [2], numbers(3, 10)]);
});

it('makes no group too large', async () => {
  const { double, groups, allow } = createHandler();
  const answers = numbers(1, 200).map(double);
  allow();
  await Promise.all(answers);
  expect(Math.max(...groups.map(({ length }) => length))).toBe(64);
  expect(groups.flat().toSorted((a, b) => a - b)).toEqual(numbers(1, 200));
});

it.each([
  ['a value that Postgres refuses', '22P05'],
  ['a lock that one of them waits for', '55P03'],
])('lets only one request fail because of %s', async (_, code) => {
  const { double, allow } = createHandler((group) => (group.includes(7) ? refusal(code) : undefined));
  const answers = Promise.allSettled(numbers(1, 10).map(double));
  allow();
  const rejected = (await answers).flatMap(({ status }, index) => (status === 'rejected' ? [index + 1] : []));
  expect(rejected).toEqual([7]);
});

it('handles a request again that lost a race', async () => {
  let races = 1;
  const { double, groups, allow } = createHandler(() => ((races -= 1) === 0 ? refusal('23505') : undefined));
  const answer = double(1);
  allow();
  expect(await answer).toBe(2);
  expect(groups).toEqual([[1], [1]]);
});

it.each([
  ['its connection was lost', new Error('Connection terminated unexpectedly')],
  ['it took too long', refusal('57014')],
])('handles no request of a group again if %s', async (_, error) => {
  const { double, groups, allow } = createHandler(() => error);
  const answers = Promise.allSettled(numbers(1, 5).map(double));
  allow();
  expect(await answers).toEqual(numbers(1, 5).map(() => ({ status: 'rejected', reason: error })));
  expect(groups).toEqual([[1], [2], [3, 4, 5]]);
});

it('does not let a request that came alone wait for a lock twice', async () => {
  const { double, groups, allow } = createHandler(() => refusal('55P03'));
  const answer = double(1);
  allow();
  await expect(answer).rejects.toMatchObject({ code: '55P03' });
  expect(groups).toEqual([[1]]);
});
