import { z } from '@hono/zod-openapi';
import { wholeNumber } from '../../contracts/fields.ts';
import { cursorSchema, idCursor, numberCursor } from '../../views/page.ts';

const limit = wholeNumber(1, 100).default(20);

const CURSOR = { description: '`nextCursor` of the previous page' };

/** The query of a list that is read page by page, in the order of its ids. */
export const pageQuery = z.strictObject({ limit, cursor: cursorSchema(idCursor).optional().openapi(CURSOR) });

/** The query of a list whose rows are numbered. */
export const numberedPageQuery = z.strictObject({ limit, cursor: cursorSchema(numberCursor).optional().openapi(CURSOR) });

/** The query of a list that is cut off after some rows. */
export const limitQuery = z.strictObject({ limit });
