import { count, eq, min } from 'drizzle-orm';
import type { FailureKind } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { failures, orders } from '../db/schema.ts';

/** Like failures that are open. */
export interface AttentionGroup {
  kind: FailureKind;
  step: string;
  errorType: string;
  count: number;
  oldest: Date;
}

/** What needs a person now. */
export interface Attention {
  /** The most urgent kind first, then the most. */
  groups: AttentionGroup[];
  approvals: { count: number; oldest: Date | undefined };
}

/** Money that is not given back is the loudest, then what has stopped altogether; an email that was not sent comes last. */
const URGENCY: readonly FailureKind[] = ['compensation', 'run', 'command', 'step', 'late_shipment', 'email'];

/** @returns the open failures by group, and the orders that wait for an approval */
export async function readAttention(db: Database): Promise<Attention> {
  const { kind, step, errorType } = failures;
  const [groups, [waiting]] = await Promise.all([
    db
      .select({ kind, step, errorType, count: count(), oldest: min(failures.firstSeenAt) })
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
      .map((group) => ({ ...group, oldest: group.oldest ?? new Date() }))
      .toSorted((a, b) => URGENCY.indexOf(a.kind) - URGENCY.indexOf(b.kind) || b.count - a.count),
    approvals: { count: waiting?.count ?? 0, oldest: waiting?.oldest ?? undefined },
  };
}
