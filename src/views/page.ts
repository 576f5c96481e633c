import { z } from '@hono/zod-openapi';

/** The cursor of a list is opaque to callers: the id or number of the last row of the page, encoded. */
const encode = (position: string | number): string => Buffer.from(String(position)).toString('base64url');

/** @returns what a cursor stands for. @param text from a caller, so it may be anything */
export const decodeCursor = (text: string): string => Buffer.from(text, 'base64url').toString();

/** @returns the schema of one page */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    data: z.array(item),
    nextCursor: z.string().nullable().openapi({ description: 'null on the last page' }),
  });

/**
 * Cuts a page off a list that was read one longer than the page.
 * @param positionOf what the next page continues after: an id (UUIDv7, so in order of creation) or a number
 */
export function cutPage<Row>(rows: Row[], limit: number, positionOf: (row: Row) => string | number) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, nextCursor: rows.length > limit && last ? encode(positionOf(last)) : null };
}
