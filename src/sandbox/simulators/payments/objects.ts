import { z } from 'zod';

const metadata = z.record(z.string(), z.string());
const seconds = z.int();
const declineSchema = z.object({
  type: z.literal('card_error'),
  code: z.string(),
  decline_code: z.string(),
  message: z.string(),
  param: z.string().optional(),
});

/** Why a card was declined: the `error` of Stripe's 402 response. */
export type Decline = z.infer<typeof declineSchema>;

const paymentIntentSchema = z.object({
  id: z.string(),
  object: z.literal('payment_intent'),
  allowed_payment_method_types: z.array(z.string()).nullable(),
  amount: z.int(),
  amount_capturable: z.literal(0),
  amount_received: z.int(),
  automatic_payment_methods: z.object({ enabled: z.boolean(), allow_redirects: z.enum(['always', 'never']) }).nullable(),
  canceled_at: seconds.nullable(),
  cancellation_reason: z.string().nullable(),
  capture_method: z.enum(['automatic', 'automatic_async']),
  client_secret: z.string(),
  confirmation_method: z.literal('automatic'),
  created: seconds,
  currency: z.string(),
  description: z.string().nullable(),
  last_payment_error: declineSchema.nullable(),
  latest_charge: z.string().nullable(),
  livemode: z.literal(false),
  metadata,
  next_action: z.null(),
  payment_method: z.string().nullable(),
  payment_method_types: z.array(z.string()),
  status: z.enum(['requires_payment_method', 'requires_confirmation', 'succeeded', 'canceled']),
});

const chargeSchema = z.object({
  id: z.string(),
  object: z.literal('charge'),
  amount: z.int(),
  amount_captured: z.int(),
  amount_refunded: z.int(),
  captured: z.boolean(),
  created: seconds,
  currency: z.string(),
  description: z.string().nullable(),
  failure_code: z.string().nullable(),
  failure_message: z.string().nullable(),
  livemode: z.literal(false),
  metadata,
  paid: z.boolean(),
  payment_intent: z.string().nullable(),
  payment_method: z.string(),
  refunded: z.boolean(),
  status: z.enum(['succeeded', 'failed']),
});

const refundSchema = z.object({
  id: z.string(),
  object: z.literal('refund'),
  amount: z.int(),
  charge: z.string(),
  created: seconds,
  currency: z.string(),
  metadata,
  payment_intent: z.string().nullable(),
  reason: z.string().nullable(),
  status: z.enum(['pending', 'succeeded', 'failed', 'canceled']),
});

const disputeSchema = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  amount: z.int(),
  charge: z.string(),
  created: seconds,
  currency: z.string(),
  evidence_details: z.object({ due_by: seconds.nullable(), has_evidence: z.boolean(), past_due: z.boolean(), submission_count: z.int() }),
  is_charge_refundable: z.boolean(),
  livemode: z.literal(false),
  metadata,
  payment_intent: z.string().nullable(),
  reason: z.string(),
  status: z.enum(['needs_response', 'under_review', 'won', 'lost', 'warning_needs_response', 'warning_under_review', 'warning_closed']),
});

export type PaymentIntent = z.infer<typeof paymentIntentSchema>;
export type Charge = z.infer<typeof chargeSchema>;
export type Refund = z.infer<typeof refundSchema>;
export type Dispute = z.infer<typeof disputeSchema>;

const fact = {
  idempotencyKey: z.string().nullable(),
  amount: z.int(),
  currency: z.string(),
  metadata,
};
const answerStatus = z.literal([200, 400, 401, 402, 404, 409, 500]);
const storedResultSchema = z.object({
  type: z.literal('idempotency.stored'),
  key: z.string(),
  fingerprint: z.string(),
  status: answerStatus,
  body: z.unknown(),
  requestId: z.string(),
});

export type AnswerStatus = z.infer<typeof answerStatus>;

/** The answer stored under an idempotency key. */
export type StoredResult = z.infer<typeof storedResultSchema>;

/**
 * An entry of the payment ledger. `object` is the Stripe object after the change, `amount` is in minor units. A charge that
 * moved money is `charge.created` (every succeeded intent has one), a declined charge is `charge.failed`.
 */
export const paymentEntrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.enum(['payment_intent.created', 'payment_intent.succeeded', 'payment_intent.declined', 'payment_intent.canceled']),
    paymentIntent: z.string(),
    ...fact,
    object: paymentIntentSchema,
  }),
  z.object({
    type: z.enum(['charge.created', 'charge.failed']),
    charge: z.string(),
    paymentIntent: z.string().nullable(),
    ...fact,
    object: chargeSchema,
  }),
  z.object({
    type: z.enum(['refund.created', 'refund.updated']),
    refund: z.string(),
    charge: z.string(),
    paymentIntent: z.string().nullable(),
    ...fact,
    object: refundSchema,
  }),
  z.object({
    type: z.enum(['dispute.created', 'dispute.updated', 'dispute.closed']),
    dispute: z.string(),
    charge: z.string(),
    paymentIntent: z.string().nullable(),
    ...fact,
    object: disputeSchema,
  }),
  storedResultSchema,
]);

export type PaymentEntry = z.infer<typeof paymentEntrySchema>;
