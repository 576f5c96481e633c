import { and, eq, sql } from 'drizzle-orm';
import { orderIdOf, signupIdOf } from '../contracts/ids.ts';
import type { Transaction } from '../db/client.ts';
import { commands, orders, signups } from '../db/schema.ts';
import { settleCancelItems } from '../records/bulk-action-items.ts';
import type { Command } from '../records/commands.ts';
import { closeCommandFailure, openFailure, reopenAnswered } from '../records/failures.ts';
import { LEASE, type ClaimedCommand } from './outbox.ts';

/** What follows when a command was not simply delivered. Each is part of the transaction that writes the command's state. */

/**
 * Opens a failure for a command that was set aside. Commands of one type to one workflow share it, and similar ones of
 * other workflows share its alert.
 */
export async function reportSetAside(tx: Transaction, { workflowId, type, attempts }: ClaimedCommand, error: string): Promise<void> {
  await openFailure(tx, {
    kind: 'command',
    workflowId,
    ...(await findSubject(tx, workflowId)),
    step: type,
    errorType: 'poisoned_command',
    errorMessage: error,
    attempts,
  });
}

/** Reopens what an operator has answered with a command that will not be delivered. @param command undefined if it makes no sense */
export async function reopenFailuresOf(tx: Transaction, workflowId: string, command: Command | undefined, reason: string): Promise<void> {
  if (command?.type === 'resolve_failure' || command?.type === 'settle_compensation') {
    await reopenAnswered(tx, { workflowId, failureId: command.message.failureId }, reason);
  } else if (command?.type === 'refund_again' || command?.type === 'resend_email') {
    await reopenAnswered(tx, { workflowId, failureId: command.failureId }, reason);
  } else if (command === undefined || command.type === 'reset_run') {
    await reopenAnswered(tx, { workflowId }, reason);
  }
}

/**
 * Settles what waits for a cancellation that was set aside. Its failures stay open, so that the order can be cancelled again. Last:
 * nothing else is locked while items of bulk actions are.
 */
export async function settleCancellationOf(tx: Transaction, { workflowId, type }: ClaimedCommand, reason: string): Promise<void> {
  const orderId = type === 'cancel_order' ? orderIdOf(workflowId) : undefined;
  if (orderId) await settleCancelItems(tx, orderId, 'failed_again', reason);
}

/** Closes the failure of a command that was set aside once, and is dealt with now. */
export const closeFailureOf = (tx: Transaction, { workflowId, type }: ClaimedCommand): Promise<void> =>
  closeCommandFailure(tx, workflowId, type);

/** Makes the commands due that wait for a run which is back now. Those due within a lease may be leased: they stay as they are. */
export async function wakeWaiting(tx: Transaction, workflowId: string): Promise<void> {
  await tx
    .update(commands)
    .set({ nextAttemptAt: sql`now()` })
    .where(
      and(
        eq(commands.workflowId, workflowId),
        eq(commands.state, 'pending'),
        sql`${commands.nextAttemptAt} > now() + ${LEASE} * interval '1 ms'`,
      ),
    );
}

/** Only an order or a signup that exists: an unreadable command may name anything. */
async function findSubject(tx: Transaction, workflowId: string): Promise<{ orderId?: string; signupId?: string }> {
  const [orderId, signupId] = [orderIdOf(workflowId), signupIdOf(workflowId)];
  if (orderId && (await tx.$count(orders, eq(orders.id, orderId))) > 0) return { orderId };
  if (signupId && (await tx.$count(signups, eq(signups.id, signupId))) > 0) return { signupId };
  return {};
}
