import { z } from '@hono/zod-openapi';
import { wholeNumber } from '../../contracts/fields.ts';
import { decodeCursor } from '../../views/page.ts';

/** @param pattern of the encoded position */
const cursorOf = <Position>(position: z.ZodType<Position>, pattern: RegExp) =>
  z
    .string()
    .regex(pattern, 'is not a cursor of this list')
    .transform((text, context) => {
      const { data, success } = position.safeParse(decodeCursor(text));
      if (success) return data;
      context.addIssue('is not a cursor of this list');
      return z.NEVER;
    })
    .optional()
    .openapi({ description: '`nextCursor` of the previous page' });

const limit = wholeNumber(1, 100).default(20);

/** The query of a list that is read page by page, in the order of its ids. */
export const pageQuery = z.strictObject({ limit, cursor: cursorOf(z.uuid(), /^[A-Za-z0-9_-]{48}$/) });

/** The query of a list whose rows are numbered. */
export const numberedPageQuery = z.strictObject({
  limit,
  cursor: cursorOf(z.string().regex(/^\d{1,15}$/).transform(Number), /^[A-Za-z0-9_-]{2,20}$/),
});

/** The query of a list that is cut off after some rows. */
export const limitQuery = z.strictObject({ limit });
