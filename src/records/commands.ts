import { and, eq, gte, inArray, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { id } from '../contracts/fields.ts';
import { alertWorkflowId, orderWorkflowId, bulkActionWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { LIVE_FAILURE_STATUSES, ORDER_STEPS } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { commands, failures } from '../db/schema.ts';
import { notifyAfterCommit } from '../db/notifications.ts';
import { inPresentWords } from './earlier-commands.ts';

/** The Postgres channel that wakes the dispatcher. */
export const COMMANDS_CHANNEL = 'holdfast_commands';

const orderId = id;
const signupId = id;
const bulkActionId = id;
const actor = z.string();
/** Of the HTTP request that asks for it, the latter while it is traced. */
const ofRequest = { requestId: z.string().optional(), traceparent: z.string().optional() };

/** What a workflow can be asked to do. Stored in `commands.body`. Holds no free text, because it goes to Temporal. */
export const commandSchema = z.preprocess(inPresentWords, z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('start_order'),
    orderId,
    generation: z.int().positive(),
    amount: z.int().positive(),
    currency: z.string(),
    ...ofRequest,
  }),
  z.strictObject({ type: z.literal('cancel_order'), orderId, message: z.strictObject({ actor }) }),
  z.strictObject({
    type: z.literal('decide_approval'),
    orderId,
    message: z.strictObject({ decision: z.enum(['approve', 'reject']), actor }),
  }),
  z.strictObject({
    type: z.literal('resolve_failure'),
    orderId,
    message: z.strictObject({
      failureId: id,
      occurrence: z.int().positive(),
      action: z.enum(['retry', 'cancel']),
      actor,
    }),
  }),
  z.strictObject({
    type: z.literal('settle_compensation'),
    orderId,
    message: z.strictObject({ failureId: id, step: z.enum(ORDER_STEPS), actor }),
  }),
  z.strictObject({
    type: z.literal('update_shipment'),
    orderId,
    message: z.strictObject({
      generation: z.int().positive(),
      type: z.enum(['shipped', 'delivered', 'rejected']),
      carrier: z.string(),
      trackingNumber: z.string(),
    }),
  }),
  z.strictObject({
    type: z.literal('reset_run'),
    workflowId: z.string(),
    /** The last event to undo. Without it, the run goes back to the last point before it went wrong. */
    eventId: z.int().positive().optional(),
    /** The same for every delivery, so that Temporal resets once per request. */
    requestId: z.uuid(),
  }),
  z.strictObject({ type: z.literal('refund_again'), orderId, failureId: id, occurrence: z.int().positive() }),
  /** To the order or signup that the email is about: its story shows it. */
  z.strictObject({ type: z.literal('resend_email'), workflowId: z.string(), failureId: id, occurrence: z.int().positive() }),
  z.strictObject({ type: z.literal('start_signup'), signupId, ...ofRequest }),
  z.strictObject({ type: z.literal('verify_signup'), signupId }),
  z.strictObject({ type: z.literal('subscribe_signup'), signupId }),
  z.strictObject({ type: z.literal('start_bulk_action'), bulkActionId, ratePerSecond: z.int().positive() }),
  z.strictObject({ type: z.literal('wake_bulk_action'), bulkActionId }),
  z.strictObject({ type: z.literal('watch_alert_group'), group: z.string() }),
]));

export type Command = z.infer<typeof commandSchema>;

/** @returns the id of the workflow that a command is for. Commands of one workflow are delivered in order. */
export function targetWorkflowId(command: Command): string {
  if ('workflowId' in command) return command.workflowId;
  if ('orderId' in command) return orderWorkflowId(command.orderId);
  if ('signupId' in command) return signupWorkflowId(command.signupId);
  if ('bulkActionId' in command) return bulkActionWorkflowId(command.bulkActionId);
  return alertWorkflowId(command.group);
}

/** The type of a stored command, which may have none. */
export const commandType = sql<string>`coalesce(${commands.body} ->> 'type', 'unknown')`;

/** @returns the condition for the commands of one type to a workflow that were set aside. They share one failure */
export const isSetAside = (workflowId: string, type: string) =>
  and(eq(commands.workflowId, workflowId), eq(commands.state, 'set_aside'), eq(commandType, type));

/** The condition for a command whose run is broken. It waits until an operator has reset that. */
export const isForBrokenRun = sql`exists (
  select from ${failures} where ${failures.workflowId} = ${commands.workflowId} and ${failures.kind} = 'run'
    and ${inArray(failures.status, LIVE_FAILURE_STATUSES)})`;

/** Makes the commands of one type to a workflow that were set aside due again, with fresh attempts. @returns how many */
export async function requeueCommands(tx: Transaction, workflowId: string, type: string): Promise<number> {
  const requeued = await tx
    .update(commands)
    .set({ state: 'pending', attempts: 0, nextAttemptAt: sql`now()` })
    .where(isSetAside(workflowId, type))
    .returning({ id: commands.id });
  notifyAfterCommit(COMMANDS_CHANNEL);
  return requeued.length;
}

/** Gives up the commands of one type to a workflow that were set aside. */
export async function discardCommands(tx: Transaction, workflowId: string, type: string): Promise<void> {
  await tx
    .update(commands)
    .set({ state: 'discarded', deliveredAt: sql`now()` })
    .where(isSetAside(workflowId, type));
}

/**
 * Writes a command. It is delivered once the transaction commits, and never if it does not. Nothing else writes to
 * Temporal on behalf of a request: a crash between two writes would lose one of them.
 */
export async function enqueueCommand(tx: Transaction, command: Command): Promise<void> {
  await tx.insert(commands).values({ workflowId: targetWorkflowId(command), body: command });
  notifyAfterCommit(COMMANDS_CHANNEL);
}

/**
 * Does the same within one statement. The caller sends the notification.
 * @param source the name of a table expression: the command is written once for each of its rows
 */
export const insertCommandFor = (source: string, command: Command): SQL => sql`
  insert into ${commands} (workflow_id, body)
  select ${targetWorkflowId(command)}, ${JSON.stringify(command)}::jsonb from ${sql.identifier(source)}`;

/**
 * @param part of the command's body
 * @param since what was asked before does not count: an order may have been restarted after it
 * @returns whether a workflow has got, or will get, such a command. One that was set aside does not count
 */
export async function isAsked(tx: Transaction, workflowId: string, part: object, since?: Date | null): Promise<boolean> {
  const [earlier] = await tx
    .select({ id: commands.id })
    .from(commands)
    .where(
      and(
        eq(commands.workflowId, workflowId),
        inArray(commands.state, ['pending', 'delivered']),
        sql`${commands.body} @> ${JSON.stringify(part)}::jsonb`,
        since ? gte(commands.createdAt, since) : undefined,
      ),
    )
    .limit(1);
  return earlier !== undefined;
}
