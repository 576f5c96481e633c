import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { PageEnv } from '../../../src/console/environment.ts';
import { csvLine, MOST_ROWS, respondWithCsv } from '../../../src/console/kit/csv.ts';

/** @returns the answer with these pages of rows */
const fileOf = async (pages: AsyncIterable<number[]>): Promise<Response> =>
  await new Hono<PageEnv>().get('/', (c) => respondWithCsv(c, 'numbers', [['Number', (row) => row]], pages)).request('/');

async function* endless(): AsyncGenerator<number[]> {
  for (;;) yield Array.from({ length: 300 }, (_, index) => index);
}

async function* broken(): AsyncGenerator<number[]> {
  yield [1];
  throw new Error('Postgres is away.');
}

it('writes texts, numbers and times, and nothing for what is missing', () => {
  const cells = ['tea', 12.5, new Date('2026-11-24T08:00:00Z'), null, undefined];
  expect(csvLine(cells)).toBe('tea,12.5,2026-11-24T08:00:00.000Z,,\r\n');
});

it('quotes what would end a cell or a line', () => {
  expect(csvLine(['a,b', 'say "tea"', 'two\nlines', ' spaced '])).toBe('"a,b","say ""tea""","two\nlines", spaced \r\n');
});

it.each(['=1+1', '+1', '-1', '@sum', '\tx', '\r=1'])('makes a text of what a spreadsheet would run: %j', (text) => {
  expect(csvLine([text])).toMatch(/^"?'/);
});

it('leaves a number as it is', () => {
  expect(csvLine([-5])).toBe('-5\r\n');
});

it('ends after as many rows as fit, within a page', async () => {
  const lines = (await (await fileOf(endless())).text()).trimEnd().split('\r\n');
  expect(lines).toHaveLength(1 + MOST_ROWS);
});

it('fails if a page cannot be read, so that a part does not look like the whole', async () => {
  const response = await fileOf(broken());
  await expect(response.text()).rejects.toThrow('Postgres is away.');
});
