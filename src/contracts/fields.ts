import { z } from 'zod';
import { isCountry } from './countries.ts';

/** Fields that a person fills in. The same rules in the API, on the page and on the command line. */

const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;

/**
 * One line of text for people, trimmed. Control characters and lone surrogates are refused: Postgres and email headers
 * cannot hold them.
 * @param longest characters
 */
export const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest)
    .regex(ONE_LINE, 'must be one line of text')
    // For the OpenAPI document, which would print the flag as part of the pattern.
    .meta({ pattern: ONE_LINE.source });

/**
 * The id of an order, a signup, a failure or a bulk action. Always in lower case from here on: Postgres finds a UUID in
 * capitals as well, but the workflow ids and keys that contain it are compared as text.
 */
export const id = z.uuid().toLowerCase();

/** Why something is done. Kept in the audit. */
export const reason = line(500);

/** Where a parcel goes. */
export const address = z.strictObject({
  line1: line(200),
  city: line(200),
  postalCode: line(200),
  country: z.string().refine(isCountry, 'must be an ISO 3166-1 alpha-2 code in capitals').meta({ example: 'DE' }),
});

export type Address = z.infer<typeof address>;
