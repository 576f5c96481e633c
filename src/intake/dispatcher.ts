import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import { eq, sql } from 'drizzle-orm';
import type { OrderPolicy, SignupPolicy } from '../contracts/messages.ts';
import { SIGNALS, TASK_QUEUES } from '../contracts/names.ts';
import type { Database, DatabaseHandle, Transaction } from '../db/client.ts';
import { commands } from '../db/schema.ts';
import type { Logger } from '../log.ts';
import { COMMANDS_CHANNEL, commandSchema, targetWorkflowId, type Command } from './commands.ts';
import { openFailure, reopenRetrying } from './failures.ts';
import { resetRun } from './reset.ts';
import { isTemporalUnavailable } from './temporal-availability.ts';

export interface DispatcherOptions {
  db: Database;
  /** On the worker's own connection, so that a workflow's first task comes back with the answer to its start. */
  client: Client;
  log: Logger;
  policies: { order: OrderPolicy; signup: SignupPolicy; alertDigestEvery: number };
  /** Ask for eager starts: only sensible where a worker of the orders queue shares the client's connection. */
  eagerStart: boolean;
}

type Outcome =
  | { state: 'delivered' }
  | { state: 'discarded' | 'set_aside'; error: string }
  /** `later`: at the next look. `away`: Temporal takes nothing at all at the moment. */
  | { state: 'later' }
  | { state: 'away' };

/** The run that a new generation follows has not quite ended: it is still sending its last email. */
class StillClosingError extends Error {
  override name = 'StillClosingError';
}

/** Commands delivered at once, in one transaction. */
const BATCH = 50;
/** ms after which commands are looked for even if no notification came. */
const SLOW_POLL = 5_000;
/** ms to leave Temporal alone after it did not answer. */
const PAUSE = 1_000;

/** Delivers commands to Temporal. Several processes may do so at once. */
export function createDispatcher({ db, client, log, policies, eagerStart }: DispatcherOptions) {
  /**
   * Delivers one batch.
   * @returns how many commands have been dealt with, and whether Temporal was away
   */
  async function deliverBatch(): Promise<{ delivered: number; away: boolean }> {
    return await db.transaction(async (tx) => {
      // Only the first command that a workflow waits for: so its commands stay in order among several dispatchers,
      // and one that cannot be delivered holds up nobody else.
      const { rows: claimed } = await tx.execute<{ id: string; workflow_id: string; body: unknown }>(sql`
        select id, workflow_id, body from ${commands} as command
        where state = 'pending' and not exists (
          select from ${commands} as earlier
          where earlier.workflow_id = command.workflow_id and earlier.state = 'pending' and earlier.id < command.id
        )
        order by id limit ${BATCH} for update skip locked`);
      const outcomes = await Promise.all(claimed.map(async (row) => ({ row, outcome: await deliver(row.body) })));
      let delivered = 0;
      for (const { row, outcome } of outcomes) {
        if (outcome.state === 'later' || outcome.state === 'away') continue;
        delivered += 1;
        await tx
          .update(commands)
          .set({
            state: outcome.state,
            lastError: outcome.state === 'delivered' ? null : outcome.error,
            deliveredAt: sql`now()`,
          })
          .where(eq(commands.id, Number(row.id)));
        if (outcome.state === 'set_aside') await reportSetAside(tx, row, outcome.error);
      }
      return { delivered, away: outcomes.some(({ outcome }) => outcome.state === 'away') };
    });
  }

  async function reportSetAside(tx: Transaction, row: { id: string; workflow_id: string }, error: string) {
    log.error({ command: row.id, workflow: row.workflow_id, error }, 'command set aside');
    await reopenRetrying(tx, row.workflow_id, `What was asked for could not be delivered: ${error}`);
    await openFailure(tx, {
      kind: 'command',
      workflowId: row.workflow_id,
      step: `command ${row.id}`,
      errorType: 'poisoned_command',
      errorMessage: error,
      attempts: 1,
    });
  }

  async function deliver(body: unknown): Promise<Outcome> {
    try {
      const command = commandSchema.parse(body);
      await send(command);
      return { state: 'delivered' };
    } catch (error) {
      // A process died after the delivery and before it was marked.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return { state: 'delivered' };
      if (error instanceof StillClosingError) return { state: 'later' };
      // It has ended meanwhile: there is nobody to tell. What it came to stands in Postgres.
      if (error instanceof WorkflowNotFoundError) return { state: 'discarded', error: error.message };
      if (isTemporalUnavailable(error)) return { state: 'away' };
      return { state: 'set_aside', error: error instanceof Error ? error.message : String(error) };
    }
  }

  async function send(command: Command): Promise<void> {
    const workflowId = targetWorkflowId(command);
    const start = { workflowId, workflowIdConflictPolicy: 'FAIL', requestEagerStart: eagerStart } as const;
    switch (command.type) {
      case 'start_order':
        await startOrder(command);
        return;
      case 'start_signup':
        await client.workflow.start('signup', {
          ...start,
          taskQueue: TASK_QUEUES.orders,
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          args: [{ signupId: command.signupId, policy: policies.signup }],
          staticSummary: 'Signup',
          staticDetails: 'verification → trial → subscribed',
        });
        return;
      case 'watch_alert_group':
        // Signal with start: a run that is just ending takes the signal and goes on, or a new one starts.
        await client.workflow.signalWithStart('alert', {
          workflowId,
          taskQueue: TASK_QUEUES.operations,
          workflowIdConflictPolicy: 'USE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          args: [{ group: command.group, digestEvery: policies.alertDigestEvery }],
          signal: SIGNALS.groupOpened,
          signalArgs: [],
          staticSummary: `Alert: ${command.group}`,
        });
        return;
      case 'verified':
      case 'subscribed':
        await client.workflow.getHandle(workflowId).signal(command.type);
        return;
      case 'start_replay':
        await client.workflow.start('replayFailures', {
          ...start,
          taskQueue: TASK_QUEUES.operations,
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          requestEagerStart: false,
          args: [{ replayId: command.replayId, ratePerSecond: command.ratePerSecond }],
          staticSummary: 'Bulk replay',
        });
        return;
      case 'replayChanged':
        await client.workflow.getHandle(workflowId).signal(command.type);
        return;
      case 'reset_run': {
        const { eventId: before, reason, requestId } = command;
        await resetRun(client, { workflowId, before, reason, requestId });
        return;
      }
      case 'cancelOrder':
      case 'decideApproval':
      case 'resolveFailure':
      case 'settleCompensation':
      case 'carrierUpdate':
        await client.workflow.getHandle(workflowId).signal(command.type, command.message);
    }
  }

  async function startOrder(command: Extract<Command, { type: 'start_order' }>): Promise<void> {
    const { orderId, generation, amount, currency } = command;
    const workflowId = targetWorkflowId(command);
    try {
      await client.workflow.start('order', {
        workflowId,
        taskQueue: TASK_QUEUES.orders,
        workflowIdConflictPolicy: 'FAIL',
        // A later generation follows one that ended badly; nothing else may follow a closed run.
        workflowIdReusePolicy: generation === 1 ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
        requestEagerStart: eagerStart,
        args: [{ orderId, generation, amount, currency, policy: policies.order }],
        memo: { generation },
        staticSummary: `Order over ${amount} ${currency} (minor units)`,
        staticDetails: 'reserve stock → [approval] → charge → ship → invoice → shipped → delivered',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || generation === 1) throw error;
      const { memo } = await client.workflow.getHandle(workflowId).describe();
      if (memo?.['generation'] !== generation) throw new StillClosingError();
    }
  }

  /** Delivers until nothing is left, or Temporal is away. @returns how many were dealt with */
  async function drain(): Promise<number> {
    for (let total = 0; ; ) {
      const { delivered, away } = await deliverBatch();
      total += delivered;
      if (away || delivered === 0) return total;
    }
  }

  /** @returns ms to wait before the next look */
  async function deliverAll(stopping: AbortSignal): Promise<number> {
    try {
      for (;;) {
        const { delivered, away } = await deliverBatch();
        if (away) {
          log.warn('Temporal does not answer: commands wait');
          return PAUSE;
        }
        if (delivered === 0 || stopping.aborted) return SLOW_POLL;
      }
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.name : String(error) }, 'commands cannot be read');
      return PAUSE;
    }
  }

  /** Delivers whenever there is something, until it is stopped. */
  function run({ listener }: Pick<DatabaseHandle, 'listener'>): { stop(): Promise<void> } {
    const stopping = new AbortController();
    let knock = new AbortController();
    const wake = () => knock.abort();
    // Woken on each reconnection too: what was notified meanwhile is not lost.
    const subscription = listener.listen(COMMANDS_CHANNEL, wake, wake);
    subscription.catch((error: unknown) => log.warn({ error: String(error) }, 'cannot listen for commands: polling'));

    const loop = async () => {
      while (!stopping.signal.aborted) {
        // Made before the look: a knock during it cuts the wait short.
        knock = new AbortController();
        const pause = await deliverAll(stopping.signal);
        // New commands are no reason to press on Temporal while it is away.
        const signal = pause === PAUSE ? stopping.signal : AbortSignal.any([stopping.signal, knock.signal]);
        await sleep(pause, undefined, { signal }).catch(() => {});
      }
    };
    const running = loop();
    return {
      async stop() {
        stopping.abort();
        await running;
        await subscription.then((listening) => listening.unlisten()).catch(() => {});
      },
    };
  }

  return { drain, run };
}

export type Dispatcher = ReturnType<typeof createDispatcher>;
