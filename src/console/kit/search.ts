import type { z } from 'zod';
import { words } from './format.tsx';

/** A search: as typed, so that the form shows it again, and as meant. */
export interface Search<Meant> {
  typed: Record<string, string>;
  meant: Meant;
  /** What is wrong with the fields. `meant` is then empty. */
  error: string | undefined;
}

/** The status to choose for all statuses, where one is the default. */
export const ANY_STATUS = 'any';

/** Forms send minutes without a zone. The pages use UTC. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;

/** @returns a time from a form as ISO 8601 in UTC; anything else unchanged */
export const toInstant = (text: string): string => (LOCAL_TIME.test(text) ? `${text}:00Z` : text);

/**
 * Reads the fields of a search from a query string. Empty fields count as missing.
 * @param schema all its fields are optional
 */
export function readSearch<Schema extends z.ZodObject>(
  query: Record<string, string>,
  schema: Schema,
): Search<z.output<Schema>> {
  const typed: Record<string, string> = {};
  const meant: Record<string, string> = {};
  for (const field of Object.keys(schema.shape)) {
    const text = query[field]?.trim();
    if (!text) continue;
    typed[field] = text;
    if (field === 'status' && text === ANY_STATUS) continue;
    meant[field] = field === 'from' || field === 'to' ? toInstant(text) : text;
  }
  const parsed = schema.safeParse(meant);
  return parsed.success
    ? { typed, meant: parsed.data, error: undefined }
    : { typed, meant: schema.parse({}), error: describeIssues(parsed.error) };
}

/** @returns a query string of the fields that have a value, e.g. `?kind=step`; empty when none has */
export function queryOf(fields: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, text] of Object.entries(fields)) if (text) query.set(name, text);
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** @returns what is wrong with the fields of a form, in words */
export const describeIssues = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${words(path.join(' ')) || 'form'}: ${message}`).join('; ');
