import { eq } from 'drizzle-orm';
import type { ResolveFailure } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { Database } from '../db/client.ts';
import { failures } from '../db/schema.ts';
import { enqueueCommand } from './commands.ts';
import { IntakeError, notFound } from './errors.ts';
import { recordFailureEvent } from './failures.ts';

/**
 * Has a parked order try its failed step again, with a fresh retry budget.
 * @param actor who asks, e.g. `key:<id>`
 * @throws IntakeError `not_found`, or `failure_not_open` when no order is parked on it
 */
export const requestRetry = (db: Database, actor: string, failureId: string, reason: string): Promise<void> =>
  requestAction(db, { failureId, action: 'retry', reason, actor });

/**
 * Has a parked order give up and undo what it did.
 * @param actor who asks, e.g. `key:<id>`
 * @throws IntakeError `not_found`, or `failure_not_open` when no order is parked on it
 */
export const requestCancel = (db: Database, actor: string, failureId: string, reason: string): Promise<void> =>
  requestAction(db, { failureId, action: 'cancel', reason, actor });

/** The row lock makes of two operators at once one who acts and one who is told that it is done. */
async function requestAction(db: Database, request: Omit<ResolveFailure, 'occurrence'>): Promise<void> {
  const { failureId, action, reason, actor } = request;
  await db.transaction(async (tx) => {
    const [failure] = await tx.select().from(failures).where(eq(failures.id, failureId)).for('update');
    if (!failure) throw notFound('failure');
    if (failure.kind !== 'step' || failure.status !== 'open' || !failure.orderId) {
      throw new IntakeError('failure_not_open', `A ${failure.kind} failure that is ${failure.status} cannot do this.`);
    }
    if (action === 'retry') await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
    await recordFailureEvent(tx, failureId, `${action}_requested`, actor, reason);
    await enqueueCommand(tx, {
      type: SIGNALS.resolveFailure,
      orderId: failure.orderId,
      message: { ...request, occurrence: failure.occurrence },
    });
  });
}
