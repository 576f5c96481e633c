/** Reconciliation: the books of Postgres, Temporal, the payment provider and the warehouse are compared while the system runs. */

/** The comparisons, in the order in which they run. Those that depend on an outside service come last. */
export const BOOK_CHECKS = [
  'order_runs',
  'signup_runs',
  'failures',
  'reservations',
  'stock',
  'invoices',
  'payments',
  'shipments',
] as const;
export type BookCheck = (typeof BOOK_CHECKS)[number];

/** Who says what: the two sides of each check. */
export const BOOK_SIDES: Record<BookCheck, { ours: string; theirs: string }> = {
  order_runs: { ours: 'Postgres', theirs: 'Temporal' },
  signup_runs: { ours: 'Postgres', theirs: 'Temporal' },
  failures: { ours: 'The failure', theirs: 'What it waits for' },
  reservations: { ours: 'The order', theirs: 'Its reservations' },
  stock: { ours: 'Received', theirs: 'Available and reserved' },
  invoices: { ours: 'The order', theirs: 'Its invoice' },
  payments: { ours: 'Postgres', theirs: 'The payment provider' },
  shipments: { ours: 'Postgres', theirs: 'The warehouse' },
};

/** What a check looks at: what has changed since it last succeeded, everything, or only the differences that it knows. */
export const BOOK_SCOPES = ['changed', 'everything', 'known'] as const;
export type BookScope = (typeof BOOK_SCOPES)[number];

/** How an operator can make the two sides of a difference equal. Offered only where it is certain which side is right. */
export const BOOK_FIXES = ['start_run', 'reopen_failure', 'refund_payment'] as const;
export type BookFix = (typeof BOOK_FIXES)[number];

/** Asks for one check. */
export interface BookCheckRequest {
  check: BookCheck;
  scope: BookScope;
}

/** Where a part of a check ended. Times are ISO 8601; without `from`, everything up to `until` is compared. */
export interface BookPosition {
  startedAt: string;
  from?: string;
  until: string;
  /** Which of the check's sources is being read. */
  source: number;
  /** Where its next page begins. */
  after?: string | undefined;
  compared: number;
}

/** What a check came to. */
export interface BookCheckResult {
  /** Differences that are known now, confirmed or not. */
  found: number;
  /** ms until the youngest of them is old enough to be reported. */
  confirmAfter: number;
}

/** `confirm` waits until what was found is old enough to be reported, then looks at it again. */
export interface ReconcileInput {
  scope: BookScope;
  confirm?: boolean;
}
