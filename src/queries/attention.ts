import { count, eq, max, min } from 'drizzle-orm';
import type { FailureKind } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { failures, orders } from '../db/schema.ts';

/** Open failures of the same kind, step and error type. */
export interface AttentionGroup {
  kind: FailureKind;
  step: string;
  errorType: string;
  count: number;
  oldest: Date;
  /** When one of them failed last. */
  latest: Date;
}

/** What needs attention now. */
export interface Attention {
  /** The most urgent kind first, then the largest group. */
  groups: AttentionGroup[];
  approvals: { count: number; oldest: Date | undefined };
}

/** Lowest first: money that is not refunded, then what has stopped. An unsent email comes last. */
const URGENCY: Record<FailureKind, number> = {
  compensation: 0,
  refund: 1,
  discrepancy: 2,
  unexpected_shipment: 2,
  run: 3,
  command: 4,
  step: 5,
  dispute: 6,
  late_shipment: 7,
  email: 8,
};

/** @returns the open failures by group, and the orders waiting for approval */
export async function readAttention(db: Database): Promise<Attention> {
  const { kind, step, errorType } = failures;
  const [groups, [waiting]] = await Promise.all([
    db
      .select({ kind, step, errorType, count: count(), oldest: min(failures.firstSeenAt), latest: max(failures.lastSeenAt) })
      .from(failures)
      .where(eq(failures.status, 'open'))
      .groupBy(kind, step, errorType),
    db
      .select({ count: count(), oldest: min(orders.updatedAt) })
      .from(orders)
      .where(eq(orders.status, 'awaiting_approval')),
  ]);
  return {
    groups: groups
      .map((group) => ({ ...group, oldest: group.oldest ?? new Date(), latest: group.latest ?? new Date() }))
      .toSorted((a, b) => URGENCY[a.kind] - URGENCY[b.kind] || b.count - a.count),
    approvals: { count: waiting?.count ?? 0, oldest: waiting?.oldest ?? undefined },
  };
}
