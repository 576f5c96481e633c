import type { BookCheck, BookFix } from '../contracts/books.ts';

/** What two records say about one thing. The texts hold ids, statuses and amounts, never personal data. */
export interface Difference {
  /** What is compared, e.g. an order's id. Unique within its check. */
  subject: string;
  /** How the two differ, in a stable word such as `run_missing`. Failures are grouped by it. */
  what: string;
  /** What Postgres says, or the first of two records in Postgres. See `BOOK_SIDES`. */
  ours: string;
  /** What the other side says. */
  theirs: string;
  orderId?: string;
  signupId?: string;
  generation?: number;
  /** What makes them equal, where it is certain which side is right. */
  fix?: BookFix;
}

/** What to look at: changes in a span of time, or everything if `from` is undefined. */
export interface Span {
  from: Date | undefined;
  until: Date;
}

/** A page of what was looked at. */
export interface Page {
  /** How many were compared. */
  compared: number;
  /** Those that look different. A page is read at several moments, so that need not mean anything. */
  suspects: string[];
  /** Where the next page begins, if there is one. */
  next: string | undefined;
}

/** Compares coarsely what one side lists. @param after `next` of the page before */
export type Source = (span: Span, after: string | undefined) => Promise<Page>;

/**
 * One comparison between Postgres and another record. Its sources page through both sides and name suspects; `compare` then
 * reads both sides of each suspect exactly. So a check is cheap on a million orders, and right about the few that matter.
 */
export interface Check {
  name: BookCheck;
  /** Everything that may differ is listed by one of them. */
  sources: Source[];
  /**
   * @param subjects at most {@link PAGE}
   * @returns those that differ now. What is still being worked on is not compared.
   */
  compare(subjects: string[]): Promise<Difference[]>;
}

/** How many a source lists at once. Stripe's largest page. */
export const PAGE = 100;
