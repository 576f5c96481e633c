import { z } from '@hono/zod-openapi';
import { validate as isUuid } from 'uuid';

/** Ids are UUIDv7 and so in the order of their making: the last id of a page is where the next one begins. */
const encodeCursor = (id: string): string => Buffer.from(id).toString('base64url');

const cursor = z.string().transform((text, context) => {
  const id = Buffer.from(text, 'base64url').toString();
  if (isUuid(id)) return id;
  context.addIssue('is not a cursor of this list');
  return z.NEVER;
});

/** The query of a list that is read page by page. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: cursor.optional().openapi({ type: 'string', description: '`nextCursor` of the page before' }),
});

/** @returns the schema of one page. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    data: z.array(item),
    nextCursor: z.string().nullable().openapi({ description: 'null on the last page' }),
  });

/**
 * Cuts a page off a list that was read one longer than the page.
 * @param rows up to `limit + 1` of them
 */
export function cutPage<Row extends { id: string }>(rows: Row[], limit: number) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
}

const serialCursor = z.string().transform((text, context) => {
  const serial = Buffer.from(text, 'base64url').toString();
  if (/^\d{1,15}$/.test(serial)) return Number(serial);
  context.addIssue('is not a cursor of this list');
  return z.NEVER;
});

/** The query of a list whose rows are numbered. */
export const serialPageQuery = pageQuery.extend({
  cursor: serialCursor.optional().openapi({ type: 'string', description: '`nextCursor` of the page before' }),
});

/** As {@link cutPage}, for rows that are numbered. @param serialOf the number of a row */
export function cutSerialPage<Row>(rows: Row[], limit: number, serialOf: (row: Row) => number) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last ? encodeCursor(String(serialOf(last))) : null };
}
