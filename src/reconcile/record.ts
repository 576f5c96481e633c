import { and, eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import { BOOK_SIDES, type BookCheck } from '../contracts/books.ts';
import { orderWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { LIVE_FAILURE_STATUSES } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { differences, failures } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { closeFailure, openFailure } from '../records/failures.ts';
import type { Difference } from './check.ts';

/** A difference as it was recorded, with the failure that reports it. */
type Known = Awaited<ReturnType<typeof readKnown>>[number];

/**
 * Records what a comparison found, in one transaction. A difference that is as it was a grace period ago becomes a failure.
 * One that is gone resolves its failure. One that a person has settled stays settled for as long as it does not change.
 * @param subjects all that were compared
 * @param found those of them that differ
 * @param grace ms
 */
export async function recordComparison(
  db: Database,
  check: BookCheck,
  { subjects, found, grace }: { subjects: string[]; found: Difference[]; grace: number },
): Promise<void> {
  if (subjects.length === 0) return;
  await transaction(db, async (tx) => {
    const known = await readKnown(tx, check, subjects);
    const before = new Map(known.map((row) => [row.subject, row]));
    const differing = new Set(found.map(({ subject }) => subject));
    for (const row of known) if (!differing.has(row.subject)) await forget(tx, row);
    for (const difference of found) await remember(tx, check, difference, before.get(difference.subject), grace);
  });
}

const readKnown = (tx: Transaction, check: BookCheck, subjects: string[]) =>
  tx
    .select({ ...getTableColumns(differences), status: failures.status, message: failures.errorMessage })
    .from(differences)
    .leftJoin(failures, eq(failures.id, differences.failureId))
    .where(and(eq(differences.check, check), inArray(differences.subject, subjects)))
    .for('update', { of: differences });

async function forget(tx: Transaction, { check, subject, failureId }: Known): Promise<void> {
  await tx.delete(differences).where(and(eq(differences.check, check), eq(differences.subject, subject)));
  if (failureId === null) return;
  const others = await tx.$count(differences, eq(differences.failureId, failureId));
  if (others === 0) await closeFailure(tx, failureId, 'resolved', 'The two sides are equal.');
}

async function remember(
  tx: Transaction,
  check: BookCheck,
  difference: Difference,
  before: Known | undefined,
  grace: number,
): Promise<void> {
  const isSame =
    before?.what === difference.what && before.ours === difference.ours && before.theirs === difference.theirs;
  const isLive = LIVE_FAILURE_STATUSES.some((status) => status === before?.status);
  const row = {
    fix: null,
    orderId: null,
    signupId: null,
    generation: null,
    ...difference,
    check,
    // Once it has changed, what a person decided about it no longer holds.
    failureId: isSame || isLive ? (before?.failureId ?? null) : null,
  };
  const [now] = await tx
    .insert(differences)
    .values(row)
    .onConflictDoUpdate({
      target: [differences.check, differences.subject],
      set: { ...row, lastSeenAt: sql`now()`, ...(isSame ? {} : { firstSeenAt: sql`now()` }) },
    })
    .returning({ isOld: sql<boolean>`${differences.firstSeenAt} <= now() - make_interval(secs => ${grace / 1_000})` });
  // Both sides must have said the same in two checks.
  if (!isSame || !now?.isOld) return;
  const { ours, theirs } = BOOK_SIDES[check];
  const errorMessage = `${ours}: ${difference.ours}. ${theirs}: ${difference.theirs}.`;
  if (before.status === 'settled' || (before.status === 'open' && before.message === errorMessage)) return;
  const { failureId } = await openFailure(tx, {
    kind: 'discrepancy',
    workflowId: workflowOf(check, difference),
    orderId: row.orderId,
    signupId: row.signupId,
    generation: row.generation,
    step: check,
    errorType: difference.what,
    errorMessage,
    attempts: 1,
  });
  await tx
    .update(differences)
    .set({ failureId })
    .where(and(eq(differences.check, check), eq(differences.subject, difference.subject)));
}

/** What is not about an order or a signup has no workflow, and is named after its check. */
function workflowOf(check: BookCheck, { subject, orderId, signupId }: Difference): string {
  if (orderId !== undefined) return orderWorkflowId(orderId);
  if (signupId !== undefined) return signupWorkflowId(signupId);
  return `books/${check}/${subject}`;
}
