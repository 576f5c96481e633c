import type { Span } from './check.ts';

/** The part of a span of time that a page of a list covers. */
interface Range {
  from: Date;
  until: Date;
}

/**
 * A list of the outside is paged by its own cursor, the latest first. To find what is missing in it, each page is compared
 * with our rows of the same time: from its oldest item to the oldest of the page before.
 * @param after what `nextPart` returned for the page before
 * @returns the list's cursor, and what the page covers. Without an oldest item, it is the last page.
 */
export function partOf({ from, until }: Span, after: string | undefined) {
  const [end = '', ...cursor] = after?.split(' ') ?? [];
  const upper = after === undefined ? until : new Date(end);
  return {
    after: after === undefined ? undefined : cursor.join(' '),
    until: (oldest: Date | undefined): Range => ({ from: oldest ?? from ?? new Date(0), until: upper }),
  };
}

/** @returns where the next part begins */
export const nextPart = (cursor: string | undefined, { from }: Range): string | undefined =>
  cursor === undefined ? undefined : `${from.toISOString()} ${cursor}`;
