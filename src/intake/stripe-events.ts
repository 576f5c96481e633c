import type { Stripe } from 'stripe';
import { DISPUTE_STATUSES, REFUND_STATUSES } from '../contracts/statuses.ts';
import type { ReportedDispute } from '../records/disputes.ts';
import type { ReportedRefund } from '../records/refunds.ts';

/** What an event of the payment provider says about a payment. Amounts are minor units. */
export type PaymentNews = (
  | { what: 'paid'; captured: number }
  | { what: 'refund'; refund: ReportedRefund }
  | { what: 'dispute'; dispute: ReportedDispute }
) & {
  /** The payment intent; undefined if the provider was not asked for one, so not by us. */
  providerPaymentId: string | undefined;
};

/** @returns what an event says about a payment; undefined if we do not act on it */
export function newsOf(event: Stripe.Event): PaymentNews | undefined {
  if (event.type === 'payment_intent.succeeded') {
    const { id, amount_received: captured } = event.data.object;
    return { what: 'paid', captured, providerPaymentId: id };
  }
  if (
    event.type === 'refund.created' ||
    event.type === 'refund.updated' ||
    event.type === 'refund.failed' ||
    event.type === 'charge.refund.updated'
  ) {
    return refundNews(event.data.object);
  }
  if (
    event.type === 'charge.dispute.created' ||
    event.type === 'charge.dispute.updated' ||
    event.type === 'charge.dispute.closed'
  ) {
    return disputeNews(event.data.object, event.created);
  }
  return undefined;
}

const refundNews = ({ id, amount, status, payment_intent: intent }: Stripe.Refund): PaymentNews => ({
  what: 'refund',
  // A status that we do not know does not count as given back.
  refund: { id, amount, status: REFUND_STATUSES.find((known) => known === status) ?? 'pending' },
  providerPaymentId: idOf(intent),
});

/** @param reportedAt seconds since 1970 */
function disputeNews(object: Stripe.Dispute, reportedAt: number): PaymentNews {
  const { id, amount, currency, reason, status, created, payment_intent: intent } = object;
  const dueBy = object.evidence_details.due_by;
  return {
    what: 'dispute',
    dispute: {
      id,
      amount,
      currency: currency.toUpperCase(),
      reason,
      // A status that we do not know is for a person to look at.
      status: DISPUTE_STATUSES.find((known) => known === status) ?? 'needs_response',
      dueBy: dueBy === null ? null : atSecond(dueBy),
      openedAt: atSecond(created),
      reportedAt: atSecond(reportedAt),
    },
    providerPaymentId: idOf(intent),
  };
}

const atSecond = (seconds: number): Date => new Date(seconds * 1_000);

/** @returns the id of an object that may be embedded */
const idOf = (reference: string | { id: string } | null | undefined): string | undefined =>
  typeof reference === 'string' ? reference : reference?.id;
