import { noSuch } from './errors.ts';
import type { Charge, Dispute, PaymentEntry, PaymentIntent, Refund, StoredResult } from './objects.ts';
import type { Stamped } from '../ledger.ts';

/** The payment provider's state, rebuilt from its ledger. */
export class PaymentState {
  readonly intents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly results = new Map<string, Stamped<StoredResult>>();

  apply(entry: Stamped<PaymentEntry>): void {
    switch (entry.type) {
      case 'payment_intent.created':
      case 'payment_intent.succeeded':
      case 'payment_intent.declined':
      case 'payment_intent.canceled':
        this.intents.set(entry.object.id, entry.object);
        break;
      case 'charge.created':
      case 'charge.failed':
        this.charges.set(entry.object.id, entry.object);
        break;
      case 'refund.created':
      case 'refund.updated':
        this.charges.set(entry.charge, this.refundedBy(entry.object));
        this.refunds.set(entry.object.id, entry.object);
        break;
      case 'dispute.created':
      case 'dispute.updated':
      case 'dispute.closed':
        this.disputes.set(entry.object.id, entry.object);
        break;
      case 'idempotency.stored':
        this.results.set(entry.key, entry);
        break;
    }
  }

  /** @throws StripeError `resource_missing` for `param` */
  intent(id: string, param: string): PaymentIntent {
    const found = this.intents.get(id);
    if (!found) throw noSuch('payment_intent', id, param);
    return found;
  }

  /** @throws StripeError `resource_missing` for `param` */
  charge(id: string, param: string): Charge {
    const found = this.charges.get(id);
    if (!found) throw noSuch('charge', id, param);
    return found;
  }

  /** @throws StripeError `resource_missing` for `param` */
  refund(id: string, param: string): Refund {
    const found = this.refunds.get(id);
    if (!found) throw noSuch('refund', id, param);
    return found;
  }

  /** @throws StripeError `resource_missing` for `param` */
  dispute(id: string, param: string): Dispute {
    const found = this.disputes.get(id);
    if (!found) throw noSuch('dispute', id, param);
    return found;
  }

  /** Whether the bank has taken a charge back, or may do so. It can be refunded only after a dispute that was won. */
  isDisputed(charge: string): boolean {
    return [...this.disputes.values()].some((dispute) => dispute.charge === charge && !dispute.is_charge_refundable && dispute.status !== 'won');
  }

  /** Returns the charge of a refund as it is once the refund is in this state. A refund that failed does not count. */
  refundedBy(refund: Refund): Charge {
    const charge = this.charge(refund.charge, 'charge');
    const refunded = charge.amount_refunded + counted(refund) - counted(this.refunds.get(refund.id));
    return { ...charge, amount_refunded: refunded, refunded: refunded === charge.amount };
  }
}

const counted = (refund: Refund | undefined): number =>
  refund === undefined || refund.status === 'failed' || refund.status === 'canceled' ? 0 : refund.amount;
