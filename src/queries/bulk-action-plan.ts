import { and, asc, eq, inArray, sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { BULK_FAILURE_KINDS, type BulkActionRequest } from '../contracts/bulk-actions.ts';
import type { Database } from '../db/client.ts';
import { bulkActionItems, failures, orders, payments } from '../db/schema.ts';
import type { FailureKind } from '../contracts/statuses.ts';
import { unsettledAmount } from '../records/orders.ts';
import { failedOrderCondition, failureCondition } from './failure-filter.ts';

/**
 * One thing that a bulk action would act on, and why it would be refused if it would. The amount, in minor units, is that of
 * an order that is parked or has failed: an email puts no money at stake.
 */
export interface Candidate {
  orderId: string | null;
  signupId: string | null;
  failureId: string | null;
  amount: number | null;
  currency: string | null;
  refusal: string | null;
}

/** What a bulk action would do. `matching` counts ids that do not exist, too. `sums` are of what would not be refused. */
export interface BulkActionPlan {
  matching: number;
  accepted: number;
  refused: { reason: string; count: number }[];
  sums: { currency: string; amount: number }[];
  sample: Candidate[];
}

type Reader = Pick<Database, 'select'>;

const SAMPLE = 10;

/** @returns everything that a bulk action would act on, in its order */
export async function findCandidates(db: Reader, request: BulkActionRequest): Promise<Candidate[]> {
  const { action } = request;
  return action === 'restart' ? await findOrders(db, request) : await findFailures(db, BULK_FAILURE_KINDS[action], request);
}

/** @returns the condition for what a request names itself: by id, or as what failed again earlier. Undefined if it has a filter */
function namedIn(db: Reader, { ids, failedAgainIn }: BulkActionRequest, id: AnyPgColumn, item: AnyPgColumn): SQL | undefined {
  if (ids) return inArray(id, ids);
  if (failedAgainIn === undefined) return undefined;
  const isMeant = and(eq(bulkActionItems.bulkActionId, failedAgainIn), eq(bulkActionItems.state, 'failed_again'));
  return inArray(id, db.select({ id: sql`${item}` }).from(bulkActionItems).where(isMeant));
}

async function findFailures(
  db: Reader,
  kinds: readonly FailureKind[],
  request: BulkActionRequest,
): Promise<Candidate[]> {
  const { filter } = request;
  // Only open failures of these kinds can be acted on; a filter need not say so.
  const where =
    namedIn(db, request, failures.id, bulkActionItems.failureId) ??
    and(failureCondition({ status: 'open', ...filter }), filter?.kind ? undefined : inArray(failures.kind, [...kinds]));
  const rows = await db
    .select({ failure: failures, amount: orders.amount, currency: orders.currency })
    .from(failures)
    .leftJoin(orders, eq(orders.id, failures.orderId))
    .where(where)
    .orderBy(asc(failures.id));
  return rows.map(({ failure, amount, currency }) => {
    const { id: failureId, orderId, signupId, kind, status } = failure;
    const value = kind === 'step' ? { amount, currency } : { amount: null, currency: null };
    const notOpen = status === 'open' ? null : `it is ${status}`;
    return { orderId, signupId, failureId, ...value, refusal: kinds.includes(kind) ? notOpen : `it is of kind ${kind}` };
  });
}

async function findOrders(db: Reader, request: BulkActionRequest): Promise<Candidate[]> {
  const rows = await db
    .select({
      orderId: orders.id,
      status: orders.status,
      amount: orders.amount,
      currency: orders.currency,
      unsettled: unsettledAmount,
    })
    .from(orders)
    .leftJoin(payments, eq(payments.orderId, orders.id))
    .where(namedIn(db, request, orders.id, bulkActionItems.orderId) ?? failedOrderCondition(request.filter ?? {}))
    .groupBy(orders.id)
    .orderBy(asc(orders.id));
  return rows.map(({ status, unsettled, ...order }) => {
    const settled = unsettled > 0 ? 'money of an earlier generation is not refunded' : null;
    return { ...order, signupId: null, failureId: null, refusal: status === 'failed' ? settled : `the order is ${status}` };
  });
}

/** @returns what a bulk action would do, without doing it */
export async function planBulkAction(db: Reader, request: BulkActionRequest): Promise<BulkActionPlan> {
  const candidates = await findCandidates(db, request);
  const refused = new Map<string, number>();
  const sums = new Map<string, number>();
  for (const { refusal, amount, currency } of candidates) {
    if (refusal) refused.set(refusal, (refused.get(refusal) ?? 0) + 1);
    else if (amount !== null && currency !== null) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  }
  const matching = request.ids ? new Set(request.ids).size : candidates.length;
  if (matching > candidates.length) refused.set('no failure or order with this id', matching - candidates.length);
  return {
    matching,
    accepted: candidates.filter(({ refusal }) => refusal === null).length,
    refused: [...refused].map(([reason, times]) => ({ reason, count: times })),
    sums: [...sums].map(([currency, amount]) => ({ currency, amount })),
    sample: candidates.slice(0, SAMPLE),
  };
}
