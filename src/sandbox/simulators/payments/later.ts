import type { Shared } from '../simulator.ts';
import { invalidRequest } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Charge, Dispute, PaymentEntry, Refund } from './objects.ts';
import { newId, recordRefund } from './operations.ts';
import type { PaymentState } from './state.ts';
import { disputeOf, refundCourseOf } from './test-cards.ts';

const WEEK = 7 * 24 * 60 * 60;

/** What happens at the provider some time after a request: refunds settle or fail, and charges are disputed. */
export class Later {
  readonly #state: PaymentState;
  readonly #afterMs: number | undefined;
  readonly #sendsWebhooks: boolean;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #ledger: Shared<PaymentEntry>['ledger'] | undefined;

  /** @param afterMs how long it takes; undefined: until it is done by hand */
  constructor(state: PaymentState, afterMs: number | undefined, sendsWebhooks: boolean) {
    this.#state = state;
    this.#afterMs = afterMs;
    this.#sendsWebhooks = sendsWebhooks;
  }

  /** Starts, until `signal` aborts. What came due while the simulator was down happens at once. */
  start(ledger: Shared<PaymentEntry>['ledger'], signal: AbortSignal): void {
    this.#ledger = ledger;
    for (const refund of this.#state.refunds.values()) this.#expectRefund(refund);
    for (const charge of this.#state.charges.values()) this.#expectDispute(charge);
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#ledger = undefined;
    });
  }

  /** Plans what follows from an entry that was just applied. */
  consider(entry: PaymentEntry): void {
    if (!this.#ledger) return;
    if (entry.type === 'refund.created') this.#expectRefund(entry.object);
    if (entry.type === 'charge.created') this.#expectDispute(entry.object);
  }

  /** @throws StripeError 404; 400 if the refund can no longer change like that */
  settleRefund(id: string, status: Refund['status']): Refund {
    const refund = this.#state.refund(id, 'id');
    const possible = refund.status === 'pending' ? ['succeeded', 'failed', 'canceled'] : refund.status === 'succeeded' ? ['failed'] : [];
    if (!possible.includes(status)) throw invalidRequest(`A refund that is ${refund.status} cannot become ${status}.`);
    const settled = { ...refund, status };
    this.#commit(recordRefund('refund.updated', settled, null));
    return settled;
  }

  /** Disputes a charge. @throws StripeError 404 */
  dispute(chargeId: string, { reason, status }: Pick<Dispute, 'reason' | 'status'> = { reason: 'fraudulent', status: 'needs_response' }): Dispute {
    const charge = this.#state.charge(chargeId, 'id');
    const created = Math.floor(Date.now() / 1000);
    const dispute: Dispute = {
      id: newId('du'),
      object: 'dispute',
      amount: charge.amount,
      charge: charge.id,
      created,
      currency: charge.currency,
      evidence_details: { due_by: created + WEEK, has_evidence: false, past_due: false, submission_count: 0 },
      is_charge_refundable: status === 'warning_needs_response',
      livemode: false,
      metadata: {},
      payment_intent: charge.payment_intent,
      reason,
      status,
    };
    this.#commit(recordDispute('dispute.created', dispute));
    return dispute;
  }

  /** @throws StripeError 404; 400 if the dispute is closed */
  moveDispute(id: string, status: Dispute['status']): Dispute {
    const dispute = this.#state.dispute(id, 'id');
    if (isClosed(dispute.status)) throw invalidRequest(`This dispute is already ${dispute.status}.`);
    const moved = { ...dispute, status };
    this.#commit(recordDispute(isClosed(status) ? 'dispute.closed' : 'dispute.updated', moved));
    return moved;
  }

  #commit(entry: PaymentEntry): void {
    if (!this.#ledger) throw new Error('The payment provider is closed.');
    const events = this.#sendsWebhooks ? eventsOf([entry], this.#state, null) : [];
    this.#ledger.append(entry, ...events);
  }

  #expectRefund({ id, charge, status, created }: Refund): void {
    const course = refundCourseOf(this.#state.charge(charge, 'charge').payment_method);
    if (course && status === course.begins) this.#plan(id, created, () => this.settleRefund(id, course.becomes));
  }

  #expectDispute({ id, paid, payment_method: method, created }: Charge): void {
    const dispute = disputeOf(method);
    const known = [...this.#state.disputes.values()].some(({ charge }) => charge === id);
    if (paid && dispute && !known) this.#plan(id, created, () => this.dispute(id, dispute));
  }

  /** @param created seconds since 1970 of what it follows from */
  #plan(id: string, created: number, act: () => void): void {
    if (this.#afterMs === undefined) return;
    const waitMs = Math.max(0, created * 1000 + this.#afterMs - Date.now());
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      try {
        act();
      } catch {
        // It was done by hand meanwhile.
      }
    }, waitMs);
    this.#timers.set(id, timer);
  }
}

/** Whether a dispute has been decided. Source: https://docs.stripe.com/api/disputes/object#dispute_object-status */
const isClosed = (status: Dispute['status']): boolean => status === 'won' || status === 'lost' || status === 'warning_closed';

function recordDispute(type: 'dispute.created' | 'dispute.updated' | 'dispute.closed', object: Dispute): PaymentEntry {
  const { id: dispute, charge, payment_intent: paymentIntent, amount, currency, metadata } = object;
  return { type, idempotencyKey: null, dispute, charge, paymentIntent, amount, currency, metadata, object };
}
