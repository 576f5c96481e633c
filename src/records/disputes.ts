import { and, eq, notInArray } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import { formatMoney } from '../contracts/money.ts';
import { CLOSED_DISPUTE_STATUSES, type DisputeStatus } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { disputes } from '../db/schema.ts';
import { closeFailures, openFailure } from './failures.ts';
import type { Payment } from './refunds.ts';

/** A dispute as the provider reports it. */
export interface ReportedDispute {
  id: string;
  /** Minor units. */
  amount: number;
  /** ISO 4217, in capitals. */
  currency: string;
  reason: string;
  status: DisputeStatus;
  dueBy: Date | null;
  openedAt: Date;
  /** When the provider made this report, to the second. */
  reportedAt: Date;
}

const DISPUTE = { kind: 'dispute', step: 'charge' } as const;

/** Of two reports within a second, the one that closes the dispute is the later one. */
const isOutdated = (report: Pick<ReportedDispute, 'reportedAt'>, known: Pick<ReportedDispute, 'reportedAt' | 'status'>): boolean =>
  report.reportedAt < known.reportedAt ||
  (report.reportedAt.getTime() === known.reportedAt.getTime() && isClosed(known.status));

const isClosed = (status: DisputeStatus): boolean => CLOSED_DISPUTE_STATUSES.includes(status);

/**
 * Records what the provider reports about a dispute, and opens a failure for a new one. It is resolved once all disputes of the
 * payment are closed. A report that is older than what is recorded changes nothing.
 * @param payment locked
 */
export async function recordDispute(tx: Transaction, payment: Payment, dispute: ReportedDispute): Promise<void> {
  const { id: paymentId, orderId, generation } = payment;
  const { id: providerDisputeId, ...reported } = dispute;
  const [known] = await tx.select().from(disputes).where(eq(disputes.providerDisputeId, providerDisputeId));
  if (known && isOutdated(dispute, known)) return;
  await tx
    .insert(disputes)
    .values({ ...reported, providerDisputeId, paymentId })
    .onConflictDoUpdate({ target: disputes.providerDisputeId, set: reported });

  if (!isClosed(dispute.status)) {
    // Later reports about it open nothing: a person may have settled the failure.
    if (known && !isClosed(known.status)) return;
    await openFailure(tx, {
      ...DISPUTE,
      orderId,
      generation,
      workflowId: orderWorkflowId(orderId),
      errorType: 'payment_disputed',
      errorMessage: `The customer disputes ${formatMoney(dispute.amount, dispute.currency)} with the bank (${dispute.reason}).`,
      attempts: 1,
    });
    return;
  }
  const stillOpen = await tx.$count(
    disputes,
    and(eq(disputes.paymentId, paymentId), notInArray(disputes.status, [...CLOSED_DISPUTE_STATUSES])),
  );
  if (stillOpen === 0) {
    await closeFailures(tx, { orderId, generation }, DISPUTE, 'resolved', `The dispute is closed (${dispute.status}).`);
  }
}
