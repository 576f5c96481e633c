import { z } from '@hono/zod-openapi';
import { line } from './common.ts';
import { isCountry } from './countries.ts';

/** Where a parcel goes. */
export const address = z.strictObject({
  line1: line(200),
  city: line(200),
  postalCode: line(200),
  country: z
    .string()
    .refine(isCountry, 'must be an ISO 3166-1 alpha-2 code in capitals')
    .openapi({ example: 'DE' }),
});
