import { noSuch } from './errors.ts';
import type { Charge, PaymentEntry, PaymentIntent, Refund, StoredResult } from './objects.ts';
import type { Stamped } from '../ledger.ts';

/** The payment provider's state, rebuilt from its ledger. */
export class PaymentState {
  readonly intents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
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
      case 'refund.created': {
        this.refunds.set(entry.object.id, entry.object);
        const charge = this.charge(entry.charge, 'charge');
        this.charges.set(charge.id, refundedBy(charge, entry.amount));
        break;
      }
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
}

/** Returns the charge after a refund of `amount` minor units. */
export function refundedBy(charge: Charge, amount: number): Charge {
  const refunded = charge.amount_refunded + amount;
  return { ...charge, amount_refunded: refunded, refunded: refunded === charge.amount };
}
