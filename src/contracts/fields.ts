import { z } from 'zod';
import { COUNTRIES } from './countries.ts';
import { describeIssue } from './wording.ts';

/** Fields that a person fills in. The same rules, and the same words, in the API, on the page and on the command line. */

z.config({ customError: describeIssue });

const ONE_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** Starts, ends or overrides a direction of writing, so that what follows is shown in another order than it is stored in. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/u;

/** A character that is neither space nor something that shows nothing, such as a joiner or a filler. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/u;

/**
 * For the OpenAPI document: not only spaces, and none of what is refused above, as far as it can be said. Means the same in
 * ECMAScript, RE2 and Python, without a flag.
 */
const REFUSED = '\\x00-\\x1f\\x7f-\\x9f\u2028-\u202e\u2066-\u2069';
const ONE_LINE_PORTABLE = `^[^${REFUSED}]*[^\\s${REFUSED}][^${REFUSED}]*$`;

/** Counts as JSON Schema does: a character outside the Basic Multilingual Plane is one, though its `length` is 2. */
const hasAtMost = (text: string, longest: number) =>
  text.length <= longest || (text.length <= 2 * longest && Array.from(text).length <= longest);

/**
 * One line of text for people, trimmed. Control characters and lone surrogates are refused: Postgres and email headers
 * cannot hold them. So is what a person could not read as it was written.
 * @param longest characters, before it is trimmed
 */
export const line = (longest: number) =>
  z
    .string()
    .refine((text) => hasAtMost(text, longest), `must be at most ${longest} characters`)
    .regex(ONE_LINE, 'must be one line of text')
    .trim()
    .min(1, 'must not be empty')
    .refine((text) => !DIRECTION.test(text), 'must not change the direction of writing')
    .refine((text) => text === '' || VISIBLE.test(text), 'must be visible')
    .meta({ pattern: ONE_LINE_PORTABLE, maxLength: longest });

const MAILBOX = "(?:[A-Za-z0-9_'+-]+\\.)*[A-Za-z0-9_'+-]*[A-Za-z0-9_+-]";
/** Of a domain: no hyphen at its ends, and at most 63 characters (RFC 1035). */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const EMAIL = new RegExp(`^${MAILBOX}@(?:${LABEL}\\.)+[A-Za-z]{2,63}$`);

/** An email address. */
export const email = z
  .email({ pattern: EMAIL })
  .max(254)
  .refine((text) => text.indexOf('@') <= 64, 'must have at most 64 characters before the @')
  .meta({ pattern: EMAIL.source });

/** Four digits, but not 0000. */
const YEAR = '([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])';

/** A moment: ISO 8601, UTC. Neither Postgres nor Temporal has a year 0. */
export const instant = z.iso
  .datetime()
  .refine((text) => !text.startsWith('0000'), 'must not be in the year 0')
  .meta({ pattern: `^${YEAR}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?Z$` });

/**
 * What mail programs make a link of: an address with a scheme, `www.`, a domain with a common ending that is no part of names, one with
 * a path, an email address, an IP address.
 */
const LINKS = [
  /:\/\//,
  /\bwww\./i,
  /[\p{L}\p{N}]\.(?:com|net|org|info|biz|xyz|shop|online|site|website)(?![\p{L}\p{N}])/iu,
  // Not `P.Io`: Io is a surname.
  /[\p{L}\p{N}]\.io(?![\p{L}\p{N}])/u,
  // Not `Dr.Smith/Dr.Jones`: an ending is written in small letters or in capitals.
  /[\p{L}\p{N}]\.(?:\p{Ll}{2,}|\p{Lu}{2,})\//u,
  /[^\s@]@[^\s@]+\.[^\s@]/,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/,
];

const NAME_LENGTH = 200;

/** The name of a person or a company. It is mailed to an address that someone typed in, so it must not lead anywhere. */
export const personName = line(NAME_LENGTH)
  .refine((text) => !LINKS.some((link) => link.test(text)), 'must not contain a link')
  .meta({ pattern: ONE_LINE_PORTABLE, maxLength: NAME_LENGTH });

/** A number that comes as text. Digits only: `Number` would also take `0x10`, `1e3` and an empty text. */
export const wholeNumber = (least: number, most: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given),
    z.int('must be a whole number').min(least).max(most),
  );

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
