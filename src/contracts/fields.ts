import { z } from 'zod';
import { COUNTRIES } from './countries.ts';
import { describeIssue } from './wording.ts';

/** Fields that a person fills in. The same rules, and the same words, in the API, on the page and on the command line. */

z.config({ customError: describeIssue });

const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;

/** For the OpenAPI document: not only spaces, and no control characters. Means the same in ECMAScript, RE2 and Python, without a flag. */
const ONE_LINE_PORTABLE = '^\\s*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$';

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
    .meta({ pattern: ONE_LINE_PORTABLE });

/** An email address. */
export const email = z.email().max(254).meta({ pattern: z.regexes.email.source });

/** A moment: ISO 8601, UTC. Neither Postgres nor Temporal has a year 0. */
export const instant = z.iso
  .datetime()
  .refine((text) => !text.startsWith('0000'), 'must not be in the year 0')
  .meta({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?Z$' });

/**
 * The id of an order, a signup, a failure or a bulk action. Always in lower case from here on: Postgres finds a UUID in
 * capitals as well, but the workflow ids and keys that contain it are compared as text.
 */
export const id = z.uuid().toLowerCase().meta({ pattern: z.regexes.uuid().source });

/** Why something is done. Kept in the audit. */
export const reason = line(500);

/** Where a parcel goes. */
export const address = z.strictObject({
  line1: line(200),
  city: line(200),
  postalCode: line(200),
  country: z
    .enum(COUNTRIES, { error: ({ input }) => (input === undefined ? undefined : 'must be an ISO 3166-1 alpha-2 code in capitals') })
    .meta({ description: 'ISO 3166-1 alpha-2' }),
});

export type Address = z.infer<typeof address>;
