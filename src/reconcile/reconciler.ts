import { and, asc, count, eq, gt, isNull, max } from 'drizzle-orm';
import type { BookCheck, BookCheckRequest, BookCheckResult, BookPosition, BookScope } from '../contracts/books.ts';
import type { Database } from '../db/client.ts';
import { bookChecks, differences } from '../db/schema.ts';
import { PAGE, type Check, type Source, type Span } from './check.ts';
import { createChecks, type Sides } from './checks.ts';
import { recordComparison } from './record.ts';

export type Reconciler = ReturnType<typeof createReconciler>;

/** ms that one part of a check takes, about. The job remembers where a part ended, so a crash loses at most one. */
const PART = 60_000;
/** ms by which two checks of changes overlap: a transaction may commit a minute after the time that it wrote. */
const OVERLAP = 2 * 60_000;
/** ms that the very first check of changes looks back. */
const FIRST_SPAN = 60 * 60_000;

/** Compares the books, page by page, and records what differs. @param options `grace`: ms that a difference may last */
export function createReconciler({ grace, ...sides }: Sides & { grace: number }) {
  const { db } = sides;
  const checks = createChecks(sides);

  async function compareAndRecord(check: Check, suspects: string[], progress: () => void): Promise<void> {
    for (let start = 0; start < suspects.length; start += PAGE) {
      const subjects = suspects.slice(start, start + PAGE);
      await recordComparison(db, check.name, { subjects, found: await check.compare(subjects), grace });
      progress();
    }
  }

  return {
    /**
     * Continues a check for about a minute.
     * @param position where the part before ended; undefined at the beginning
     * @param progress called at least every minute
     * @returns where to continue, or what the check came to
     * @throws what the other side's client throws when it does not answer
     */
    async compare(
      { check: name, scope }: BookCheckRequest,
      position: BookPosition | undefined,
      progress: () => void,
    ): Promise<{ next: BookPosition } | { result: BookCheckResult }> {
      const check = checks[name];
      const sources = sourcesOf(db, check, scope);
      let at = position ?? (await begin(db, name, scope));
      const span = spanOf(at);
      for (const end = performance.now() + PART; performance.now() < end; progress()) {
        const source = sources[at.source];
        if (!source) return { result: await finish(db, { check: name, scope }, at, grace) };
        const page = await source(span, at.after);
        await compareAndRecord(check, page.suspects, progress);
        const compared = at.compared + page.compared;
        at = page.next === undefined ? { ...at, compared, source: at.source + 1, after: undefined } : { ...at, compared, after: page.next };
      }
      return { next: at };
    },

    /** Records that a check could not be made: nothing is known about new differences, and known ones stay as they are. */
    async recordUnchecked({ check, scope }: BookCheckRequest, error: string): Promise<void> {
      await recordRun(db, { check, scope, startedAt: new Date(), compared: 0, error });
    },
  };
}

/** What is known to differ is always looked at again: whether it still does decides if it is reported. */
function sourcesOf(db: Database, { name, sources }: Check, scope: BookScope): Source[] {
  const known: Source = async (_span, after) => {
    const rows = await db
      .select({ subject: differences.subject })
      .from(differences)
      .where(and(eq(differences.check, name), after === undefined ? undefined : gt(differences.subject, after)))
      .orderBy(asc(differences.subject))
      .limit(PAGE);
    const suspects = rows.map(({ subject }) => subject);
    return { compared: rows.length, suspects, next: rows.length < PAGE ? undefined : suspects.at(-1) };
  };
  return scope === 'known' ? [known] : [known, ...sources];
}

/** A check of changes begins where the last one that succeeded ended, so an outage of the other side leaves no gap. */
async function begin(db: Database, check: BookCheck, scope: BookScope): Promise<BookPosition> {
  const now = new Date();
  const position = { source: 0, compared: 0, startedAt: now.toISOString(), until: now.toISOString() };
  if (scope !== 'changed') return position;
  const [last] = await db
    .select({ checkedUntil: bookChecks.checkedUntil })
    .from(bookChecks)
    .where(and(eq(bookChecks.check, check), eq(bookChecks.scope, scope)));
  const from = last?.checkedUntil ? last.checkedUntil.getTime() - OVERLAP : now.getTime() - FIRST_SPAN;
  return { ...position, from: new Date(from).toISOString() };
}

const spanOf = ({ from, until }: BookPosition): Span => ({
  from: from === undefined ? undefined : new Date(from),
  until: new Date(until),
});

async function finish(
  db: Database,
  { check, scope }: BookCheckRequest,
  { startedAt, until, compared }: BookPosition,
  grace: number,
): Promise<BookCheckResult> {
  await recordRun(db, { check, scope, startedAt: new Date(startedAt), compared, error: null, checkedUntil: new Date(until) });
  const [known] = await db.select({ found: count() }).from(differences).where(eq(differences.check, check));
  const [young] = await db
    .select({ firstSeenAt: max(differences.firstSeenAt) })
    .from(differences)
    .where(and(eq(differences.check, check), isNull(differences.failureId)));
  const confirmAfter = young?.firstSeenAt ? Math.max(0, young.firstSeenAt.getTime() + grace - Date.now()) : 0;
  return { found: known?.found ?? 0, confirmAfter };
}

async function recordRun(db: Database, run: typeof bookChecks.$inferInsert): Promise<void> {
  await db
    .insert(bookChecks)
    .values(run)
    .onConflictDoUpdate({ target: [bookChecks.check, bookChecks.scope], set: { ...run, finishedAt: new Date() } });
}
