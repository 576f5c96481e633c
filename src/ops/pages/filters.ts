import { failureFilterSchema, type FailureFilter } from '../../contracts/failures.ts';
import { describeIssues } from './respond.tsx';

/** The filter fields of a form: as typed, so that a form shows them again, and as meant. */
export interface ParsedFilter {
  typed: Record<string, string>;
  filter: FailureFilter;
  /** What is wrong with the fields; the filter is then empty. */
  error: string | undefined;
}

const FIELDS = ['kind', 'step', 'errorType', 'status', 'orderId', 'customerEmail', 'from', 'to', 'text'] as const;
/** What the status field says when every status is meant. */
export const ANY_STATUS = 'any';

/** Forms give minutes without a zone; the pages speak UTC. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;
const toInstant = (text: string): string => (LOCAL_TIME.test(text) ? `${text}:00Z` : text);

/** Reads the filter of a query string. Fields left empty say nothing. */
export function parseFilter(query: Record<string, string>): ParsedFilter {
  const typed: Record<string, string> = {};
  for (const field of FIELDS) {
    const text = query[field]?.trim();
    if (text) typed[field] = text;
  }
  const meant = Object.entries(typed)
    .filter(([field, text]) => !(field === 'status' && text === ANY_STATUS))
    .map(([field, text]) => [field, field === 'from' || field === 'to' ? toInstant(text) : text]);
  const parsed = failureFilterSchema.safeParse(Object.fromEntries(meant));
  return parsed.success
    ? { typed, filter: parsed.data, error: undefined }
    : { typed, filter: {}, error: describeIssues(parsed.error) };
}

/** @returns a query string of what is said, e.g. `?kind=step`; empty when nothing is */
export function queryOf(fields: Record<string, string | undefined>): string {
  const said = new URLSearchParams();
  for (const [name, text] of Object.entries(fields)) if (text) said.set(name, text);
  return said.size === 0 ? '' : `?${said.toString()}`;
}
