import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { alertWorkflowId, orderWorkflowId, replayWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { SIGNALS } from '../contracts/names.ts';
import { ORDER_STEPS } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { commands } from '../db/schema.ts';

/** The Postgres channel that wakes the dispatcher. */
export const COMMANDS_CHANNEL = 'holdfast_commands';

const orderId = z.uuid();
const signupId = z.uuid();
const actor = z.string();
const reason = z.string();

/** Everything that a request can ask of a workflow. Stored in `commands.body`. */
export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('start_order'),
    orderId,
    generation: z.int().positive(),
    amount: z.int().positive(),
    currency: z.string(),
  }),
  z.strictObject({ type: z.literal('start_signup'), signupId }),
  z.strictObject({ type: z.literal('watch_alert_group'), group: z.string() }),
  z.strictObject({
    type: z.literal(SIGNALS.cancelOrder),
    orderId,
    message: z.strictObject({ reason, actor }),
  }),
  z.strictObject({
    type: z.literal(SIGNALS.decideApproval),
    orderId,
    message: z.strictObject({ decision: z.enum(['approve', 'reject']), reason, actor }),
  }),
  z.strictObject({
    type: z.literal(SIGNALS.resolveFailure),
    orderId,
    message: z.strictObject({
      failureId: z.uuid(),
      occurrence: z.int().positive(),
      action: z.enum(['retry', 'cancel']),
      reason,
      actor,
    }),
  }),
  z.strictObject({
    type: z.literal(SIGNALS.carrierUpdate),
    orderId,
    message: z.strictObject({
      generation: z.int().positive(),
      type: z.enum(['shipped', 'delivered', 'rejected']),
      carrier: z.string(),
      trackingNumber: z.string(),
      reason: z.string().optional(),
    }),
  }),
  z.strictObject({
    type: z.literal(SIGNALS.settleCompensation),
    orderId,
    message: z.strictObject({ failureId: z.uuid(), step: z.enum(ORDER_STEPS), reason, actor }),
  }),
  z.strictObject({
    type: z.literal('reset_run'),
    orderId,
    /** The last event to be undone, or undefined for the last point before the run went wrong. */
    eventId: z.int().positive().optional(),
    reason,
    /** The same for every delivery: Temporal resets once for one request. */
    requestId: z.uuid(),
  }),
  z.strictObject({ type: z.literal('start_replay'), replayId: z.uuid(), ratePerSecond: z.int().positive() }),
  z.strictObject({ type: z.literal(SIGNALS.replayChanged), replayId: z.uuid() }),
  z.strictObject({ type: z.literal(SIGNALS.verified), signupId }),
  z.strictObject({ type: z.literal(SIGNALS.subscribed), signupId }),
]);

export type Command = z.infer<typeof commandSchema>;

/** @returns the id of the workflow that a command is for. Commands of one workflow are delivered in order. */
export function targetWorkflowId(command: Command): string {
  if ('orderId' in command) return orderWorkflowId(command.orderId);
  if ('signupId' in command) return signupWorkflowId(command.signupId);
  if ('replayId' in command) return replayWorkflowId(command.replayId);
  return alertWorkflowId(command.group);
}

/**
 * Writes a command. It is delivered once the transaction commits, and never if it does not: nothing else may write to
 * Temporal on behalf of a request, or a crash between the two would lose one of them.
 */
export async function enqueueCommand(tx: Transaction, command: Command): Promise<void> {
  await tx.insert(commands).values({ workflowId: targetWorkflowId(command), body: command });
  await tx.execute(sql`select pg_notify(${COMMANDS_CHANNEL}, '')`);
}
