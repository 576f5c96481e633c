import { and, asc, count, desc, eq, isNotNull } from 'drizzle-orm';
import { BOOK_CHECKS, BOOK_SCOPES, type BookCheck, type BookScope } from '../contracts/books.ts';
import type { Database } from '../db/client.ts';
import { bookChecks, differences } from '../db/schema.ts';

/** The last time that a check was made. */
export interface BookRun {
  scope: BookScope;
  startedAt: Date;
  finishedAt: Date;
  compared: number;
  /** Why it could not be made; null if it was. */
  error: string | null;
}

/** A check: its last runs, and how much differs now. */
export interface BookCheckState {
  check: BookCheck;
  runs: BookRun[];
  differences: number;
}

export type KnownDifference = typeof differences.$inferSelect;

/** What reconciliation knows. */
export interface Books {
  checks: BookCheckState[];
  /** The oldest first; at most as many as were asked for. A difference without a failure is too young to be reported. */
  differences: KnownDifference[];
}

/** @returns every check with its last runs, and at most `limit` differences */
export async function readBooks(db: Database, limit: number): Promise<Books> {
  const [runs, counts, known] = await Promise.all([
    db.select().from(bookChecks).orderBy(desc(bookChecks.finishedAt)),
    db.select({ check: differences.check, count: count() }).from(differences).groupBy(differences.check),
    db.select().from(differences).orderBy(asc(differences.firstSeenAt), asc(differences.subject)).limit(limit),
  ]);
  return {
    checks: BOOK_CHECKS.map((name) => ({
      check: name,
      runs: BOOK_SCOPES.flatMap((scope) => runs.find((run) => run.check === name && run.scope === scope) ?? []),
      differences: counts.find(({ check }) => check === name)?.count ?? 0,
    })),
    differences: known,
  };
}

/** @returns whether a failure reports a difference that an operator can fix, because it is certain which side is right */
export const isFixable = async (db: Database, failureId: string): Promise<boolean> =>
  (await db.$count(differences, and(eq(differences.failureId, failureId), isNotNull(differences.fix)))) > 0;
