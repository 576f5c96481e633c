import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { invalidRequest, noSuch, type StripeErrorBody } from './errors.ts';
import type { AnswerStatus, Charge, Decline, PaymentEntry, PaymentIntent, Refund } from './objects.ts';
import type { cancelIntentParams, confirmIntentParams, createChargeParams, createIntentParams, createRefundParams } from './params.ts';
import type { PaymentState } from './state.ts';
import { paymentMethods, refundCourseOf, sources } from './test-cards.ts';

/** The result of a request: its answer, and the ledger entries to commit. Nothing changes until they are committed. */
export type Outcome = { status: AnswerStatus; body: object; entries: PaymentEntry[] };

type Operation<P> = (state: PaymentState, params: P, idempotencyKey: string | null, id: string) => Outcome;
type IntentEvent = Extract<PaymentEntry, { object: PaymentIntent }>['type'];

/** Returns a new object id in Stripe's format, such as `pi_…`. */
export function newId(prefix: 'pi' | 'ch' | 're' | 'du' | 'evt' | 'req'): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

const now = (): number => Math.floor(Date.now() / 1000);
const done = (body: object, ...entries: PaymentEntry[]): Outcome => ({ status: 200, body, entries });
const failed = (error: StripeErrorBody & { payment_intent?: PaymentIntent; charge?: string }, ...entries: PaymentEntry[]): Outcome => ({
  status: 402,
  body: { error },
  entries,
});

export const createIntent: Operation<z.output<typeof createIntentParams>> = (_state, params, key) => {
  const { confirm, payment_method: method } = params;
  if (method !== undefined) declineOf(method);
  const id = newId('pi');
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount: params.amount,
    amount_capturable: 0,
    amount_received: 0,
    automatic_payment_methods: params.automatic_payment_methods ?? null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.capture_method,
    client_secret: `${id}_secret_${randomBytes(8).toString('hex')}`,
    confirmation_method: 'automatic',
    created: now(),
    currency: params.currency,
    description: params.description ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: params.metadata,
    next_action: null,
    payment_method: method ?? null,
    payment_method_types: ['card'],
    status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
  };
  const created = recordIntent('payment_intent.created', intent, key);
  if (!confirm) return done(intent, created);
  const outcome = charge(intent, method, key);
  return { ...outcome, entries: [created, ...outcome.entries] };
};

export const confirmIntent: Operation<z.output<typeof confirmIntentParams>> = (state, params, key, id) => {
  const intent = state.intent(id, 'intent');
  requireOpen(intent, 'confirm');
  return charge(intent, params.payment_method ?? intent.payment_method ?? undefined, key);
};

export const cancelIntent: Operation<z.output<typeof cancelIntentParams>> = (state, params, key, id) => {
  const intent = state.intent(id, 'intent');
  requireOpen(intent, 'cancel');
  const canceled: PaymentIntent = {
    ...intent,
    status: 'canceled',
    canceled_at: now(),
    cancellation_reason: params.cancellation_reason ?? null,
  };
  return done(canceled, recordIntent('payment_intent.canceled', canceled, key));
};

export const createRefund: Operation<z.output<typeof createRefundParams>> = (state, params, key) => {
  const refunded = chargeToRefund(state, params);
  if (state.isDisputed(refunded.id)) {
    throw invalidRequest(`Charge ${refunded.id} has been charged back; cannot issue a refund.`, 'charge_disputed');
  }
  const remaining = refunded.amount - refunded.amount_refunded;
  if (remaining === 0) {
    throw invalidRequest(`Charge ${refunded.id} has already been refunded.`, 'charge_already_refunded');
  }
  const amount = params.amount ?? remaining;
  if (amount > remaining) {
    throw invalidRequest(`Refund amount (${amount}) is greater than unrefunded amount on charge (${remaining})`, undefined, 'amount');
  }
  const refund: Refund = {
    id: newId('re'),
    object: 'refund',
    amount,
    charge: refunded.id,
    created: now(),
    currency: refunded.currency,
    metadata: params.metadata,
    payment_intent: refunded.payment_intent,
    reason: params.reason ?? null,
    status: refundCourseOf(refunded.payment_method)?.begins ?? 'succeeded',
  };
  return done(refund, recordRefund('refund.created', refund, key));
};

export const createCharge: Operation<z.output<typeof createChargeParams>> = (_state, params, key) => {
  const decline = sources.get(params.source);
  if (decline === undefined) throw noSuch('token', params.source, 'source');
  const made = newCharge({ ...params, description: params.description ?? null, method: params.source, intent: null, decline });
  const entry = recordCharge(made, key);
  return decline ? failed({ ...decline, charge: made.id }, entry) : done(made, entry);
};

function requireOpen(intent: PaymentIntent, verb: 'confirm' | 'cancel'): void {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw invalidRequest(
      `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`,
      'payment_intent_unexpected_state',
    );
  }
}

/** Charges an intent. After a decline it needs another payment method, as with Stripe. */
function charge(intent: PaymentIntent, method: string | undefined, key: string | null): Outcome {
  if (method === undefined) {
    throw invalidRequest(
      "You cannot confirm this PaymentIntent because it's missing a payment method.",
      'payment_intent_unexpected_state',
    );
  }
  const decline = declineOf(method);
  const made = newCharge({ ...intent, method, intent: intent.id, decline });
  if (decline) {
    const declined: PaymentIntent = {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: decline,
      latest_charge: made.id,
    };
    return failed(
      { ...decline, charge: made.id, payment_intent: declined },
      recordCharge(made, key),
      recordIntent('payment_intent.declined', declined, key),
    );
  }
  const succeeded: PaymentIntent = {
    ...intent,
    status: 'succeeded',
    amount_received: intent.amount,
    payment_method: method,
    last_payment_error: null,
    latest_charge: made.id,
  };
  return done(succeeded, recordCharge(made, key), recordIntent('payment_intent.succeeded', succeeded, key));
}

function declineOf(method: string): Decline | null {
  const decline = paymentMethods.get(method);
  if (decline === undefined) throw noSuch('PaymentMethod', method, 'payment_method');
  return decline;
}

function chargeToRefund(state: PaymentState, params: z.output<typeof createRefundParams>): Charge {
  if (params.payment_intent === undefined) {
    if (params.charge === undefined) {
      throw invalidRequest('One of the following params should be provided for this request: payment_intent or charge.', 'parameter_missing');
    }
    return state.charge(params.charge, 'charge');
  }
  const intent = state.intent(params.payment_intent, 'payment_intent');
  if (intent.status !== 'succeeded' || intent.latest_charge === null) {
    throw invalidRequest(
      `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
      'payment_intent_unexpected_state',
      'payment_intent',
    );
  }
  return state.charge(intent.latest_charge, 'charge');
}

function newCharge(of: {
  amount: number;
  currency: string;
  description: string | null;
  metadata: Record<string, string>;
  method: string;
  intent: string | null;
  decline: Decline | null;
}): Charge {
  const paid = of.decline === null;
  return {
    id: newId('ch'),
    object: 'charge',
    amount: of.amount,
    amount_captured: paid ? of.amount : 0,
    amount_refunded: 0,
    captured: paid,
    created: now(),
    currency: of.currency,
    description: of.description,
    failure_code: of.decline?.code ?? null,
    failure_message: of.decline?.message ?? null,
    livemode: false,
    metadata: of.metadata,
    paid,
    payment_intent: of.intent,
    payment_method: of.method,
    refunded: false,
    status: paid ? 'succeeded' : 'failed',
  };
}

/** Returns the entry for a refund that was created or has changed. */
export function recordRefund(type: 'refund.created' | 'refund.updated', object: Refund, idempotencyKey: string | null): PaymentEntry {
  const { id: refund, payment_intent: paymentIntent, amount, currency, metadata } = object;
  return { type, idempotencyKey, refund, charge: object.charge, paymentIntent, amount, currency, metadata, object };
}

function recordIntent(type: IntentEvent, object: PaymentIntent, idempotencyKey: string | null): PaymentEntry {
  const { id: paymentIntent, amount, currency, metadata } = object;
  return { type, idempotencyKey, paymentIntent, amount, currency, metadata, object };
}

function recordCharge(object: Charge, idempotencyKey: string | null): PaymentEntry {
  const { id, payment_intent: paymentIntent, amount, currency, metadata } = object;
  return { type: object.paid ? 'charge.created' : 'charge.failed', idempotencyKey, charge: id, paymentIntent, amount, currency, metadata, object };
}
