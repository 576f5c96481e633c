import type { Stripe } from 'stripe';
import { REFUND_STATUSES } from '../contracts/statuses.ts';
import type { ReportedRefund } from '../records/refunds.ts';

/** What an event of the payment provider says about a payment. */
export interface PaymentNews {
  what: 'refund';
  refund: ReportedRefund;
  /** The payment intent; undefined if the provider made it without one, so not for us. */
  providerPaymentId: string | undefined;
}

/** @returns what an event says about a payment; undefined if it is none that we act on */
export function newsOf(event: Stripe.Event): PaymentNews | undefined {
  if (
    event.type === 'refund.created' ||
    event.type === 'refund.updated' ||
    event.type === 'refund.failed' ||
    event.type === 'charge.refund.updated'
  ) {
    return refundNews(event.data.object);
  }
  return undefined;
}

const refundNews = ({ id, amount, status, payment_intent: intent }: Stripe.Refund): PaymentNews => ({
  what: 'refund',
  // A status that we do not know does not count as given back.
  refund: { id, amount, status: REFUND_STATUSES.find((known) => known === status) ?? 'pending' },
  providerPaymentId: idOf(intent),
});

/** @returns the id of an object that may be embedded */
const idOf = (reference: string | { id: string } | null | undefined): string | undefined =>
  typeof reference === 'string' ? reference : reference?.id;
