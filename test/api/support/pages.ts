import { z } from 'zod';
import { call, type TestApi } from './api.ts';

const page = z.object({ data: z.array(z.unknown()), nextCursor: z.string().nullable() });

/** Reads a list to its end, as an operator. @param path may hold a query @returns what each page held */
export async function readPages(api: TestApi, path: string): Promise<unknown[][]> {
  const pages: unknown[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const next = cursor === '' ? path : `${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}`;
    const { data, nextCursor } = page.parse((await call(api, 'GET', next, { key: api.keys.operator.key })).body);
    pages.push(data);
    cursor = nextCursor;
  }
  return pages;
}
