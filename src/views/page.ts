import { z } from '@hono/zod-openapi';

/** How the position that a page of a list ended at becomes a cursor, which is opaque to callers. */
interface CursorCode<Position> {
  /** Of a cursor. Each text that matches it can be decoded, so the OpenAPI document takes no cursor that the API refuses. */
  pattern: RegExp;
  encode: (position: Position) => string;
  decode: (cursor: string) => Position;
}

/** For a list by UUID: its 16 bytes. The last character of their base64url stands for two bits. */
export const idCursor: CursorCode<string> = {
  pattern: /^[A-Za-z0-9_-]{21}[AQgw]$/,
  encode: (id) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'),
  // Postgres reads a UUID without hyphens, too.
  decode: (cursor) => Buffer.from(cursor, 'base64url').toString('hex'),
};

/** For a numbered list: six bytes. */
export const numberCursor: CursorCode<number> = {
  pattern: /^[A-Za-z0-9_-]{8}$/,
  encode(number) {
    const bytes = Buffer.alloc(6);
    bytes.writeUIntBE(number, 0, 6);
    return bytes.toString('base64url');
  },
  decode: (cursor) => Buffer.from(cursor, 'base64url').readUIntBE(0, 6),
};

const encode = (position: string | number): string =>
  typeof position === 'number' ? numberCursor.encode(position) : idCursor.encode(position);

/** @returns the schema of a cursor that a caller gives */
export const cursorSchema = <Position>({ pattern, decode }: CursorCode<Position>) =>
  z.string().regex(pattern, 'is not a cursor of this list').transform(decode);

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
