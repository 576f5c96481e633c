import { z } from 'zod';
import { isCountry } from './countries.ts';

/** Fields that a person fills in. The same rules in the API, on the page and on the command line. */

const ONE_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** Starts, ends or overrides a direction of writing, so that what follows is shown in another order than it is stored in. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/u;

/** A character that is neither space nor something that shows nothing, such as a joiner or a filler. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/u;

/**
 * One line of text for people, trimmed. Control characters and lone surrogates are refused: Postgres and email headers
 * cannot hold them. So is what a person could not read as it was written.
 * @param longest characters
 */
export const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest)
    .regex(ONE_LINE, 'must be one line of text')
    .refine((text) => !DIRECTION.test(text), 'must not change the direction of writing')
    .refine((text) => text === '' || VISIBLE.test(text), 'must be visible')
    // For the OpenAPI document, which would print the flag as part of the pattern.
    .meta({ pattern: ONE_LINE.source });

/** What mail programs make a link of: an address with a scheme, `www.`, a domain with a common ending, or one with a path. */
const LINKS = [
  /:\/\//,
  /\bwww\./i,
  /[\p{L}\p{N}]\.(?:com|net|org|info|biz)(?![\p{L}\p{N}])/iu,
  // Not `Dr.Smith/Dr.Jones`: an ending is written in small letters or in capitals.
  /[\p{L}\p{N}]\.(?:\p{Ll}{2,}|\p{Lu}{2,})\//u,
];

/** The name of a person or a company. It is mailed to an address that someone typed in, so it must not lead anywhere. */
export const personName = line(200).refine((text) => !LINKS.some((link) => link.test(text)), 'must not contain a link');

/** A moment: ISO 8601, UTC. Neither Postgres nor Temporal has a year 0. */
export const instant = z.iso.datetime().refine((text) => !text.startsWith('0000'), 'must not be in the year 0');

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
