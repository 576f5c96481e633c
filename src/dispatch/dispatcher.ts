import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, DatabaseHandle, Transaction } from '../db/client.ts';
import { transaction } from '../db/transaction.ts';
import type { Logger } from '../log.ts';
import { commandsSettled } from '../metrics/commands.ts';
import { COMMANDS_CHANNEL, commandSchema, type Command } from '../records/commands.ts';
import { reportUnexpectedShipment } from '../records/unexpected-shipment.ts';
import { closeFailureOf, reopenFailuresOf, reportSetAside, settleCancellationOf, wakeWaiting } from './aftermath.ts';
import { createDelivery, type DeliveryOptions, type Outcome } from './deliver.ts';
import { isNeedless } from './needless.ts';
import { claimCommands, LEASE, settleCommands, type ClaimedCommand, type Settlement } from './outbox.ts';
import { createStartGate } from './start-gate.ts';

/** `client` is on the worker's own connection, so that a workflow's first task comes back with the answer to its start. */
export interface DispatcherOptions extends DeliveryOptions {
  db: Database;
  log: Logger;
  /** How many more runs the worker of this process can carry at the moment. By default any number. */
  room?: () => number;
}

export type Dispatcher = ReturnType<typeof createDispatcher>;

/** Commands without an owner, and of owners, that are claimed and settled together. */
const BATCH = 25;
/** Batches being delivered at once. */
const MOST_BATCHES = 4;
/** ms that a delivery may take. Well within the lease, so that what comes of it can still be written. */
const DELIVERY_DEADLINE = LEASE - 5_000;
/** ms after which a batch is settled without its slowest deliveries, which are settled by themselves. */
const PATIENCE = 500;
/** ms between two looks for commands when no notification comes. */
const SLOW_POLL = 5_000;
/** ms to leave Temporal or Postgres alone after it did not answer. */
const PAUSE = 1_000;
/** ms until the second attempt. Each further one waits twice as long, up to the longest delay. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 300_000;
/** Temporal has then failed on this one command for about half an hour. */
const MOST_FAILURES = 14;

const delayAfter = (attempts: number): number => Math.min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY);

/** What came of delivering a command. `command` is undefined if the stored body makes no sense. */
interface Attempt {
  claimed: ClaimedCommand;
  command: Command | undefined;
  outcome: Outcome;
}

/** Delivers commands to Temporal. Several processes may do so at once. */
export function createDispatcher({ db, log, room = () => Infinity, ...delivery }: DispatcherOptions) {
  const deliver = createDelivery(delivery);
  const gate = createStartGate(room);
  /** The batches being delivered. They never reject: what goes wrong becomes `trouble`. */
  const inFlight = new Set<Promise<void>>();
  /** Why nothing is claimed for the moment. */
  let trouble: { with: 'Temporal' | 'Postgres'; error: unknown } | undefined;
  let dealtWith = 0;
  /** Whose turn was the last one. */
  let lastOwner: string | undefined;
  /** Whether commands of owners may wait for the gate. */
  let isGateClosed = false;
  /** Wakes the loop of `run`. */
  let wake: (() => void) | undefined;
  /** Whether to look again when a batch has ended: there may be something due that the last look could not claim. */
  let isMoreLikely = false;

  /** Claims batches and starts to deliver them, until nothing is due, enough are in flight, or there is trouble. */
  async function look(): Promise<void> {
    if (inFlight.size >= MOST_BATCHES) isMoreLikely = true;
    isGateClosed = false;
    try {
      for (let isMore = true; isMore && mayClaim(); ) {
        const deadline = Date.now() + DELIVERY_DEADLINE;
        const owned = Math.min(gate.allowed(), BATCH);
        const claim = await claimCommands(db, { ownerless: BATCH, owned, after: lastOwner });
        ({ lastOwner } = claim);
        if (claim.claimed.length > 0) start(claim.claimed, deadline);
        isGateClosed = gate.allowed() === 0 && (owned === 0 || claim.isMore.owned);
        isMore = claim.isMore.ownerless || (claim.isMore.owned && !isGateClosed);
        isMoreLikely ||= isMore;
      }
    } catch (error) {
      trouble = { with: 'Postgres', error };
    }
  }

  const mayClaim = (): boolean => inFlight.size < MOST_BATCHES && !trouble;

  function start(claimed: ClaimedCommand[], deadline: number): void {
    const haveStarted = gate.begin(claimed.filter(({ owner }) => owner !== null).length);
    const batch = deliverToEnd(claimed, deadline).finally(() => {
      inFlight.delete(batch);
      haveStarted();
      // Otherwise, looking again would be a statement for nothing.
      if (isMoreLikely) wake?.();
      if (inFlight.size === 0) isMoreLikely = false;
    });
    inFlight.add(batch);
  }

  async function deliverToEnd(claimed: ClaimedCommand[], deadline: number): Promise<void> {
    try {
      if (await deliverBatch(claimed, deadline)) isMoreLikely = true;
    } catch (error) {
      trouble = { with: 'Postgres', error };
    }
    // The loop has to pause.
    if (trouble) isMoreLikely = true;
  }

  /** @returns whether its workflows may have further commands that are due */
  async function deliverBatch(claimed: ClaimedCommand[], deadline: number): Promise<boolean> {
    const ended: Attempt[] = [];
    // The client's own retries may take longer than the deadline of one call.
    const unanswered = sleep(deadline - Date.now(), { state: 'away', error: 'No answer in time.' } as const, { ref: false });
    const attempt = async (one: ClaimedCommand): Promise<Attempt> => {
      const { success, data: command, error } = commandSchema.safeParse(one.body);
      const outcome = success ? Promise.race([deliver(command, deadline, one.owner), unanswered]) : invalid(error);
      return { claimed: one, command, outcome: await outcome };
    };
    const all = Promise.all(claimed.map(async (one) => ended.push(await attempt(one))));
    await Promise.race([all, sleep(PATIENCE, undefined, { ref: false })]);
    const quick = ended.length;
    if (await settle(ended.slice(0, quick), ended)) wake?.();
    await all;
    return await settle(ended.slice(quick), ended);
  }

  /**
   * Writes what came of some attempts.
   * @param batch all attempts of their batch that have ended
   * @returns whether further commands may be due now
   */
  async function settle(attempts: Attempt[], batch: Attempt[]): Promise<boolean> {
    const isServing = batch.some(({ outcome }) => outcome.state === 'delivered');
    const decided = await Promise.all(attempts.map(async (one) => ({ ...one, settlement: await decide(one, isServing) })));
    for (const { settlement } of decided) commandsSettled.inc({ state: settlement.state });
    dealtWith += decided.filter(({ settlement }) => settlement.state !== 'pending').length;
    const plain = decided.filter((one) => !hasConsequences(one)).map(({ settlement }) => settlement);
    const { isFollowed } = plain.length > 0 ? await settleCommands(db, plain) : { isFollowed: false };
    const others = decided.filter(hasConsequences);
    // Each in its own transaction: if one cannot be written, the others are.
    for (const one of others) {
      await transaction(db, async (tx) => {
        const { written } = await settleCommands(tx, [one.settlement]);
        if (written > 0) await writeConsequences(tx, one);
      });
    }
    return isFollowed || others.length > 0;
  }

  async function decide({ claimed, command, outcome }: Attempt, isServing: boolean): Promise<Settlement> {
    const { id, leasedUntil, attempts, lastError, dueAt } = claimed;
    if (outcome.state === 'delivered') return { id, leasedUntil, attempts, state: 'delivered', error: null };
    const { error } = outcome;
    const failed = { id, leasedUntil, attempts, error };
    const later = { ...failed, state: 'pending', delay: delayAfter(attempts) } as const;
    const asBefore = { ...failed, state: 'pending', attempts: attempts - 1, error: lastError, dueAt } as const;
    switch (outcome.state) {
      case 'later':
        return later;
      case 'gone':
        return command && !(await isNeedless(db, id, command)) ? later : { ...failed, state: 'discarded' };
      case 'invalid':
        return { ...failed, state: 'set_aside' };
      case 'failing':
        return attempts < MOST_FAILURES ? later : { ...failed, state: 'set_aside' };
      case 'away':
        // One workflow may be busy while Temporal serves the others.
        if (isServing) return { ...later, attempts: attempts - 1 };
        trouble ??= { with: 'Temporal', error };
        return asBefore;
      case 'refused':
        trouble ??= { with: 'Temporal', error };
        return asBefore;
    }
  }

  async function writeConsequences(tx: Transaction, { claimed, command, settlement: { state, error } }: Decided): Promise<void> {
    const { id, workflowId, lastError } = claimed;
    if (state === 'set_aside') {
      log.error({ command: id, workflow: workflowId, error }, 'command set aside');
      await reportSetAside(tx, claimed, error ?? 'unknown');
    } else if (lastError !== null) await closeFailureOf(tx, claimed);
    if (state === 'discarded' && command?.type === 'update_shipment') {
      await reportUnexpectedShipment(tx, command.orderId, command.message);
    }
    if (state !== 'delivered') {
      const reason = `The request could not be delivered: ${error}`;
      await reopenFailuresOf(tx, workflowId, command, reason);
      if (state === 'set_aside') await settleCancellationOf(tx, claimed, reason);
    } else if (command?.type === 'reset_run') await wakeWaiting(tx, workflowId);
  }

  /** Delivers until nothing is due, or Temporal is away. @returns how many commands were dealt with */
  async function drain(): Promise<{ delivered: number; away: boolean }> {
    startOver();
    await look();
    while (inFlight.size > 0) {
      // Once a batch is settled, the next commands of its workflows are due.
      await Promise.race(inFlight);
      await look();
    }
    if (trouble?.with === 'Postgres') throw trouble.error;
    return { delivered: dealtWith, away: trouble !== undefined };
  }

  function startOver(): void {
    trouble = undefined;
    dealtWith = 0;
  }

  /** Delivers commands as they come, until it is stopped. */
  function run({ listener }: Pick<DatabaseHandle, 'listener'>): { stop(): Promise<void> } {
    const stopping = new AbortController();
    let woken = new AbortController();
    wake = () => woken.abort();
    const onNotification = () => {
      isMoreLikely ||= inFlight.size > 0;
      woken.abort();
    };
    // Also woken on each reconnection, so that a notification sent meanwhile is not lost.
    const subscription = listener.listen(COMMANDS_CHANNEL, onNotification, onNotification);
    subscription.catch((error: unknown) => log.warn({ error: String(error) }, 'cannot listen for commands: polling'));

    const loop = async () => {
      while (!stopping.signal.aborted) {
        // Made before the look, so that what comes during it cuts the wait short.
        woken = new AbortController();
        await look();
        if (!trouble && !stopping.signal.aborted) await (isGateClosed ? gate.opened(woken.signal) : rest(SLOW_POLL, woken.signal));
        if (trouble) await pause(stopping.signal);
      }
      await Promise.all(inFlight);
    };
    const running = loop();
    return {
      async stop() {
        stopping.abort();
        woken.abort();
        await running;
        await subscription.then((listening) => listening.unlisten()).catch(() => {});
      },
    };
  }

  /** Leaves the part that has trouble alone for a while. New commands are no reason to ask it sooner. */
  async function pause(stopping: AbortSignal): Promise<void> {
    await Promise.all(inFlight);
    log.warn({ ...trouble, error: describe(trouble?.error) }, 'commands wait');
    await rest(PAUSE, stopping);
    trouble = undefined;
  }

  return { drain, run };
}

const invalid = ({ message }: Error): Outcome => ({ state: 'invalid', error: message });

type Decided = Attempt & { settlement: Settlement };

const hasConsequences = ({ claimed, command, settlement: { state } }: Decided): boolean =>
  state === 'discarded' ||
  state === 'set_aside' ||
  (state === 'delivered' && (claimed.lastError !== null || command?.type === 'reset_run'));

const rest = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});

/** Not the message of a database error: it may hold values of a row. */
const describe = (error: unknown): string => (error instanceof Error ? error.name : String(error));
