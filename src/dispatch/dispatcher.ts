import { setTimeout as sleep } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import type { Database, DatabaseHandle, Transaction } from '../db/client.ts';
import { commands } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import type { Logger } from '../log.ts';
import { COMMANDS_CHANNEL, commandSchema } from '../records/commands.ts';
import { openFailure, reopenRetrying } from '../records/failures.ts';
import { createDelivery, type DeliveryOptions, type Outcome } from './deliver.ts';

/** `client` is on the worker's own connection, so that a workflow's first task comes back with the answer to its start. */
export interface DispatcherOptions extends DeliveryOptions {
  db: Database;
  log: Logger;
}

export type Dispatcher = ReturnType<typeof createDispatcher>;

interface ClaimedCommand extends Record<string, unknown> {
  id: string;
  workflow_id: string;
  body: unknown;
}

/** Commands delivered at once, in one transaction. */
const BATCH = 50;
/** ms between two looks for commands when no notification comes. */
const SLOW_POLL = 5_000;
/** ms to leave Temporal alone after it did not answer. */
const PAUSE = 1_000;

/** Delivers commands to Temporal. Several processes may do so at once. */
export function createDispatcher({ db, log, ...delivery }: DispatcherOptions) {
  const deliver = createDelivery(delivery);

  /** Delivers one batch. @returns how many commands were dealt with, and whether Temporal was away */
  async function deliverBatch(): Promise<{ delivered: number; away: boolean }> {
    return await transaction(db, async (tx) => {
      // Only the first waiting command of each workflow. That keeps a workflow's commands in order among several
      // dispatchers, and one that cannot be delivered blocks no other workflow.
      const { rows: claimed } = await tx.execute<ClaimedCommand>(sql`
        select id, workflow_id, body from ${commands} as command
        where state = 'pending' and not exists (
          select from ${commands} as earlier
          where earlier.workflow_id = command.workflow_id and earlier.state = 'pending' and earlier.id < command.id
        )
        order by id limit ${BATCH} for update skip locked`);
      const outcomes = await Promise.all(claimed.map(async (row) => ({ row, outcome: await parseAndDeliver(row.body) })));
      let delivered = 0;
      for (const { row, outcome } of outcomes) {
        if (outcome.state === 'later' || outcome.state === 'away') continue;
        delivered += 1;
        const { state } = outcome;
        const lastError = 'error' in outcome ? outcome.error : null;
        await tx
          .update(commands)
          .set({ state, lastError, deliveredAt: sql`now()` })
          .where(eq(commands.id, Number(row.id)));
        if (state === 'set_aside') await reportSetAside(tx, row, lastError ?? 'unknown');
      }
      return { delivered, away: outcomes.some(({ outcome }) => outcome.state === 'away') };
    });
  }

  async function parseAndDeliver(body: unknown): Promise<Outcome> {
    const parsed = commandSchema.safeParse(body);
    return parsed.success ? await deliver(parsed.data) : { state: 'set_aside', error: parsed.error.message };
  }

  async function reportSetAside(tx: Transaction, row: ClaimedCommand, error: string) {
    log.error({ command: row.id, workflow: row.workflow_id, error }, 'command set aside');
    await reopenRetrying(tx, row.workflow_id, `The request could not be delivered: ${error}`);
    await openFailure(tx, {
      kind: 'command',
      workflowId: row.workflow_id,
      step: `command ${row.id}`,
      errorType: 'poisoned_command',
      errorMessage: error,
      attempts: 1,
    });
  }

  /** Delivers until nothing is left, Temporal is away, or `stopping` is aborted. */
  async function drain(stopping?: AbortSignal): Promise<{ delivered: number; away: boolean }> {
    for (let total = 0; ; ) {
      const { delivered, away } = await deliverBatch();
      total += delivered;
      if (away || delivered === 0 || stopping?.aborted) return { delivered: total, away };
    }
  }

  /** @returns ms to wait before the next look */
  async function drainOrPause(stopping: AbortSignal): Promise<number> {
    try {
      const { away } = await drain(stopping);
      if (!away) return SLOW_POLL;
      log.warn('Temporal is not answering: commands wait');
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.name : String(error) }, 'commands cannot be read');
    }
    return PAUSE;
  }

  /** Delivers commands as they come, until it is stopped. */
  function run({ listener }: Pick<DatabaseHandle, 'listener'>): { stop(): Promise<void> } {
    const stopping = new AbortController();
    let notified = new AbortController();
    const wake = () => notified.abort();
    // Also woken on each reconnection, so that a notification sent meanwhile is not lost.
    const subscription = listener.listen(COMMANDS_CHANNEL, wake, wake);
    subscription.catch((error: unknown) => log.warn({ error: String(error) }, 'cannot listen for commands: polling'));

    const loop = async () => {
      while (!stopping.signal.aborted) {
        // Made before the look, so that a notification during it cuts the wait short.
        notified = new AbortController();
        const pause = await drainOrPause(stopping.signal);
        // While Temporal is away, new commands are no reason to ask it sooner.
        const signal = pause === PAUSE ? stopping.signal : AbortSignal.any([stopping.signal, notified.signal]);
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
