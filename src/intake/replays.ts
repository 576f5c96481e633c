import { and, asc, count, eq, gte, ilike, inArray, lt, or, sql, type SQL } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import type { FailureFilter, ReplayRequest, ReplayState } from '../contracts/failures.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, payments, replayItems, replays } from '../db/schema.ts';
import { recordOperatorAction } from './audit.ts';
import { enqueueCommand } from './commands.ts';
import { IntakeError, notFound } from './errors.ts';
import type { Instruction } from './failure-actions.ts';

/** One thing that a bulk action would touch, and why it would be refused if it would. */
export interface Candidate {
  orderId: string;
  failureId: string | null;
  amount: number;
  currency: string;
  refusal: string | null;
}

/** What a bulk action would do. `matching` counts the ids that were given, too. Sums are minor units by currency, of what would not be refused. */
export interface ReplayPlan {
  matching: number;
  accepted: number;
  refused: { reason: string; count: number }[];
  sums: { currency: string; amount: number }[];
  sample: Candidate[];
}

const SAMPLE = 10;
/** An id of nothing, or of a failure that no order has. */
const UNKNOWN = 'there is no such failure or order';

const isCustomer = (email: string | undefined): SQL | undefined =>
  email === undefined ? undefined : eq(sql`lower(${orders.customerEmail})`, email.toLowerCase());

/** @returns the condition on `failures` (joined with `orders`) that a filter stands for */
export function failureCondition(filter: FailureFilter): SQL | undefined {
  const { text } = filter;
  const pattern = text ? `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` : undefined;
  return and(
    filter.kind ? eq(failures.kind, filter.kind) : undefined,
    filter.step ? eq(failures.step, filter.step) : undefined,
    filter.errorType ? eq(failures.errorType, filter.errorType) : undefined,
    filter.status ? eq(failures.status, filter.status) : undefined,
    filter.orderId ? eq(failures.orderId, filter.orderId) : undefined,
    isCustomer(filter.customerEmail),
    filter.from ? gte(failures.firstSeenAt, new Date(filter.from)) : undefined,
    filter.to ? lt(failures.firstSeenAt, new Date(filter.to)) : undefined,
    pattern === undefined
      ? undefined
      : or(
          ilike(failures.errorMessage, pattern),
          ilike(failures.workflowId, pattern),
          ilike(failures.errorType, pattern),
        ),
  );
}

/** A failed order is no failure row: a declined card is nobody's fault. The filter speaks of the order itself. */
function failedOrderCondition(filter: FailureFilter): SQL | undefined {
  return and(
    eq(orders.status, 'failed'),
    filter.errorType ? eq(orders.failureType, filter.errorType) : undefined,
    filter.orderId ? eq(orders.id, filter.orderId) : undefined,
    isCustomer(filter.customerEmail),
    filter.from ? gte(orders.createdAt, new Date(filter.from)) : undefined,
    filter.to ? lt(orders.createdAt, new Date(filter.to)) : undefined,
  );
}

type Reader = Pick<Database, 'select'>;

/** Something that opens a transaction: the database, or a transaction within which this is to be a part. */
type Opens = Pick<Database, 'transaction'>;

/** @returns everything that a bulk action would touch, in the order in which it would */
export async function findCandidates(db: Reader, request: ReplayRequest): Promise<Candidate[]> {
  return request.action === 'replay' ? await findOrders(db, request) : await findFailures(db, request);
}

async function findFailures(db: Reader, { filter, ids }: ReplayRequest): Promise<Candidate[]> {
  // Only what is open can be acted on; a filter need not say so.
  const where = ids ? inArray(failures.id, ids) : failureCondition({ status: 'open', kind: 'step', ...filter });
  const rows = await db
    .select({ failure: failures, amount: orders.amount, currency: orders.currency })
    .from(failures)
    .innerJoin(orders, eq(orders.id, failures.orderId))
    .where(where)
    .orderBy(asc(failures.id));
  return rows.map(({ failure, amount, currency }) => ({
    orderId: failure.orderId ?? '',
    failureId: failure.id,
    amount,
    currency,
    refusal: refusalOf(failure),
  }));
}

function refusalOf({ kind, status }: typeof failures.$inferSelect): string | null {
  if (kind !== 'step') return `no order is parked on it: it is of kind ${kind}`;
  return status === 'open' ? null : `it is ${status}`;
}

async function findOrders(db: Reader, { filter, ids }: ReplayRequest): Promise<Candidate[]> {
  const rows = await db
    .select({
      id: orders.id,
      status: orders.status,
      amount: orders.amount,
      currency: orders.currency,
      unsettled: sql<number>`coalesce(sum(${payments.captured} - ${payments.refunded}), 0)::int`,
    })
    .from(orders)
    .leftJoin(payments, eq(payments.orderId, orders.id))
    .where(ids ? inArray(orders.id, ids) : failedOrderCondition(filter ?? {}))
    .groupBy(orders.id)
    .orderBy(asc(orders.id));
  return rows.map(({ id, status, amount, currency, unsettled }) => {
    const settled = unsettled > 0 ? 'money of an earlier attempt is not given back' : null;
    return {
      orderId: id,
      failureId: null,
      amount,
      currency,
      refusal: status === 'failed' ? settled : `the order is ${status}`,
    };
  });
}

/** @returns what a bulk action would do, without doing it */
export async function planReplay(db: Reader, request: ReplayRequest): Promise<ReplayPlan> {
  const candidates = await findCandidates(db, request);
  const refused = new Map<string, number>();
  const sums = new Map<string, number>();
  for (const { refusal, amount, currency } of candidates) {
    if (refusal) refused.set(refusal, (refused.get(refusal) ?? 0) + 1);
    else sums.set(currency, (sums.get(currency) ?? 0) + amount);
  }
  const unknown = new Set(request.ids).size - candidates.length;
  if (request.ids && unknown > 0) refused.set(UNKNOWN, unknown);
  return {
    matching: request.ids ? new Set(request.ids).size : candidates.length,
    accepted: candidates.filter(({ refusal }) => refusal === null).length,
    refused: [...refused].map(([reason, times]) => ({ reason, count: times })),
    sums: [...sums].map(([currency, amount]) => ({ currency, amount })),
    sample: candidates.slice(0, SAMPLE),
  };
}

/** Rows written by one statement: Postgres takes 65,535 parameters. */
const CHUNK = 5_000;

/**
 * Begins a bulk action. What it is about is fixed now: what fails later is not touched by it.
 * @returns its id
 */
export async function createReplay(db: Opens, request: ReplayRequest, { actor }: { actor: string }): Promise<string> {
  return await db.transaction(async (tx) => {
    const id = uuid();
    const { action, reason, ratePerSecond } = request;
    await tx.insert(replays).values({ id, action, state: 'running', request, reason, actor, ratePerSecond });
    const items = (await findCandidates(tx, request)).map(({ orderId, failureId, refusal }, position) => ({
      replayId: id,
      position,
      orderId,
      failureId,
      state: refusal ? ('refused' as const) : ('pending' as const),
      message: refusal,
    }));
    for (let start = 0; start < items.length; start += CHUNK) {
      await tx.insert(replayItems).values(items.slice(start, start + CHUNK));
    }
    await recordOperatorAction(tx, { actor, reason }, `bulk_${action}`, id);
    await enqueueCommand(tx, { type: 'start_replay', replayId: id, ratePerSecond });
    return id;
  });
}

/**
 * Pauses, resumes or cancels a bulk action. What it has already asked for goes on.
 * @throws IntakeError `not_found`, or `replay_not_running` when it has ended
 */
export async function changeReplay(
  db: Database,
  replayId: string,
  state: Extract<ReplayState, 'running' | 'paused' | 'cancelled'>,
  instruction: Instruction,
): Promise<void> {
  await db.transaction(async (tx) => {
    const replay = await lockReplay(tx, replayId);
    if (replay.state !== 'running' && replay.state !== 'paused') {
      throw new IntakeError('replay_not_running', `The bulk replay is ${replay.state}.`);
    }
    const finishedAt = state === 'cancelled' ? sql`now()` : null;
    await tx.update(replays).set({ state, finishedAt }).where(eq(replays.id, replayId));
    await recordOperatorAction(tx, instruction, `bulk_replay_${state}`, replayId);
    await enqueueCommand(tx, { type: 'replayChanged', replayId });
  });
}

/** The lock orders a pause against the batch that is under way. */
export async function lockReplay(tx: Transaction, replayId: string) {
  const [replay] = await tx.select().from(replays).where(eq(replays.id, replayId)).for('update');
  if (!replay) throw notFound('bulk replay');
  return replay;
}

/** How far a bulk action is, and what became of what it asked for. */
export interface ReplayProgress {
  total: number;
  pending: number;
  requested: number;
  refused: number;
  /** of those requested: mended, or going on without trouble */
  succeeded: number;
  /** of those requested: parked or failed again */
  failedAgain: number;
}

export const ITEM_OUTCOMES = [
  'pending',
  'refused',
  'under_way',
  'failed_again',
  'resolved',
  'cancelled',
  'settled',
] as const;
export type ItemOutcome = (typeof ITEM_OUTCOMES)[number];

/** What became of an item: derived from where its failure and its order stand now, so that it is never out of date. */
export const itemOutcome = sql<ItemOutcome>`case
  when ${replayItems.state} <> 'requested' then ${replayItems.state}
  when ${failures.id} is not null and ${failures.status} = 'open' and ${failures.occurrence} > ${replayItems.occurrence} then 'failed_again'
  when ${failures.id} is not null and ${failures.status} in ('resolved', 'cancelled', 'settled') then ${failures.status}
  when ${failures.id} is null and ${orders.generation} = ${replayItems.generation} and ${orders.status} in ('failed', 'needs_attention') then 'failed_again'
  when ${failures.id} is null and ${orders.status} in ('fulfilling', 'shipped', 'completed') then 'resolved'
  when ${failures.id} is null and ${orders.status} = 'cancelled' then 'cancelled'
  else 'under_way' end`;

/** @returns the counts of a bulk action, read afresh */
export async function readProgress(db: Reader, replayId: string): Promise<ReplayProgress> {
  const rows = await db
    .select({ outcome: itemOutcome, count: count() })
    .from(replayItems)
    .innerJoin(orders, eq(orders.id, replayItems.orderId))
    .leftJoin(failures, eq(failures.id, replayItems.failureId))
    .where(eq(replayItems.replayId, replayId))
    .groupBy(itemOutcome);
  const of = (...outcomes: ItemOutcome[]) =>
    rows.filter(({ outcome }) => outcomes.includes(outcome)).reduce((total, row) => total + row.count, 0);
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  const pending = of('pending');
  const refused = of('refused');
  return {
    total,
    pending,
    refused,
    requested: total - pending - refused,
    succeeded: of('resolved', 'cancelled', 'settled'),
    failedAgain: of('failed_again'),
  };
}
