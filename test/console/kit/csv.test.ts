import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { PageEnv } from '../../../src/console/environment.ts';
import { csvLine, MOST_ROWS, respondWithCsv } from '../../../src/console/kit/csv.ts';

/** @returns the answer with these pages of rows */
const fileOf = async (pages: AsyncIterable<number[]>): Promise<Response> =>
  await new Hono<PageEnv>().get('/', (c) => respondWithCsv(c, 'numbers', [['Number', (row) => row]], pages)).request('/');

async function* numbers(count: number): AsyncGenerator<number[]> {
  for (let left = count; left > 0; left -= 300) yield Array.from({ length: Math.min(left, 300) }, (_, index) => index);
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

it.each([
  ['Ada;=1+1', "Ada;'=1+1"],
  ['Ada;;@sum', "Ada;;'@sum"],
  ['Ada\t-1', "Ada\t'-1"],
  ['=1;+2', "'=1;'+2"],
])('guards what a spreadsheet takes for a cell that ends cells at semicolons or tabs: %j', (text, guarded) => {
  expect(csvLine([text])).toBe(`${guarded}\r\n`);
});

it.each(['Ada;"=1+1"', 'Ada\n=1+1', 'Ada\r\n@sum'])('guards it in a quoted cell, which such a spreadsheet does not find quoted: %j', (text) => {
  expect(csvLine([text])).toMatch(/[;\n]'"*[=@]/);
});

it('leaves semicolons and signs within a text as they are', () => {
  expect(csvLine(['tea; cups', 'a-b', '1+1', 'ada@example.com'])).toBe('tea; cups,a-b,1+1,ada@example.com\r\n');
});

it('leaves a number as it is', () => {
  expect(csvLine([-5])).toBe('-5\r\n');
});

it('begins with what tells Excel that it is UTF-8', async () => {
  const bytes = await (await fileOf(numbers(1))).arrayBuffer();
  expect(Buffer.from(bytes).toString('latin1')).toMatch(/^\xEF\xBB\xBFNumber/);
});

it('has as many rows as fit, and fails rather than leave some out', async () => {
  const lines = (await (await fileOf(numbers(MOST_ROWS))).text()).trimEnd().split('\r\n');
  expect(lines).toHaveLength(1 + MOST_ROWS);
  await expect((await fileOf(numbers(MOST_ROWS + 1))).text()).rejects.toThrow('There are more rows than fit.');
});

it('fails if a page cannot be read, so that a part does not look like the whole', async () => {
  const response = await fileOf(broken());
  await expect(response.text()).rejects.toThrow('Postgres is away.');
});
