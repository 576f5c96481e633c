import { parse } from 'qs';
import { z } from 'zod';
import { invalidRequest, type StripeError } from './errors.ts';

const boolean = z.enum(['true', 'false'], { error: 'Invalid boolean' }).transform((value) => value === 'true');
const integer = z
  .string()
  .regex(/^-?\d+$/, { error: 'Invalid integer' })
  .transform(Number);
const amount = integer
  .refine((value) => value >= 1, { error: 'Invalid positive integer', params: { code: 'parameter_invalid_integer' } })
  .refine((value) => value <= 99_999_999, {
    error: 'Amount must be no more than $999,999.99',
    params: { code: 'amount_too_large' },
  });
const currency = z
  .string()
  .toLowerCase()
  .regex(/^[a-z]{3}$/, { error: 'Invalid currency: it must be a three-letter ISO code' });
// Limits: https://docs.stripe.com/api/metadata
const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((value) => Object.keys(value).length <= 50, { error: 'Metadata can hold at most 50 keys' });
const description = z.string().max(1000);

// Smallest amounts: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
const smallestAmounts: ReadonlyMap<string, number> = new Map([
  ['usd', 50],
  ['eur', 50],
  ['chf', 50],
  ['gbp', 30],
]);
const bigEnough = (value: { amount: number; currency: string }): boolean =>
  value.amount >= (smallestAmounts.get(value.currency) ?? 1);
const tooSmall = { path: ['amount'], error: 'Amount must be at least 50 cents', params: { code: 'amount_too_small' } };

/** Parameters of `POST /v1/payment_intents`. */
export const createIntentParams = z
  .strictObject({
    amount,
    currency,
    payment_method: z.string().optional(),
    confirm: boolean.default(false),
    metadata: metadata.default({}),
    description: description.optional(),
    capture_method: z.enum(['automatic', 'automatic_async']).default('automatic'),
    automatic_payment_methods: z
      .strictObject({ enabled: boolean, allow_redirects: z.enum(['always', 'never']).default('always') })
      .optional(),
    allowed_payment_method_types: z.array(z.literal('card')).min(1).optional(),
    return_url: z.url().optional(),
  })
  .refine(bigEnough, tooSmall)
  .refine((value) => !value.allowed_payment_method_types || !value.automatic_payment_methods, {
    path: ['allowed_payment_method_types'],
    error: 'You may only specify one of these parameters: allowed_payment_method_types, automatic_payment_methods.',
    params: { code: 'parameters_exclusive' },
  });

/** Parameters of `POST /v1/payment_intents/:id/confirm`. */
export const confirmIntentParams = z.strictObject({ payment_method: z.string().optional(), return_url: z.url().optional() });

/** Parameters of `POST /v1/payment_intents/:id/cancel`. */
export const cancelIntentParams = z.strictObject({
  cancellation_reason: z.enum(['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer']).optional(),
});

/** Parameters of `POST /v1/refunds`. */
export const createRefundParams = z.strictObject({
  payment_intent: z.string().optional(),
  charge: z.string().optional(),
  amount: amount.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.default({}),
});

/** Parameters of `POST /v1/charges`, the legacy API. */
export const createChargeParams = z
  .strictObject({
    amount,
    currency,
    source: z.string(),
    description: description.optional(),
    metadata: metadata.default({}),
  })
  .refine(bigEnough, tooSmall);

const page = {
  limit: integer.refine((value) => value >= 1 && value <= 100, { error: 'Invalid limit: it must be 1 to 100' }).default(10),
  starting_after: z.string().optional(),
};

/** A span of time in seconds since 1970. */
export type Created = { gt?: number | undefined; gte?: number | undefined; lt?: number | undefined; lte?: number | undefined };

const second = integer.optional();
const created = z
  .union([
    integer.transform((at): Created => ({ gte: at, lte: at })),
    z.strictObject({ gt: second, gte: second, lt: second, lte: second }),
  ])
  .optional();

/** Parameters of `GET /v1/payment_intents`. */
export const listIntentsParams = z.strictObject({ ...page, created });

/** Parameters of `GET /v1/refunds` and `GET /v1/disputes`. */
export const listRefundsParams = z.strictObject({ ...page, created, payment_intent: z.string().optional(), charge: z.string().optional() });

/** Parameters of an operation that takes none. */
export const noParams = z.strictObject({});

/**
 * Parses form-encoded parameters with nested brackets.
 * @throws StripeError 400 for the first invalid parameter, such as `parameter_unknown` or `parameter_missing`
 */
export function parseParams<T>(schema: z.ZodType<T>, encoded: string): T {
  const result = schema.safeParse({ ...parse(encoded) }, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue ? toStripeError(issue) : result.error;
}

function toStripeError(issue: z.core.$ZodIssue): StripeError {
  const at = brackets(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const unknown = brackets([...issue.path, ...issue.keys.slice(0, 1)]);
    // Writable until 2026-09-30.endive: https://docs.stripe.com/changelog/endive/2026-09-30/removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents
    const code = unknown === 'payment_method_types' ? 'payment_method_types_no_longer_supported' : 'parameter_unknown';
    return invalidRequest(`Received unknown parameter: ${unknown}`, code, unknown);
  }
  if (issue.code === 'custom') {
    const code: unknown = issue.params?.['code'];
    return invalidRequest(issue.message, typeof code === 'string' ? code : undefined, at);
  }
  if (issue.input === undefined) return invalidRequest(`Missing required param: ${at}.`, 'parameter_missing', at);
  return invalidRequest(issue.message, undefined, at);
}

/** Writes the path `['metadata', 'order']` as Stripe does: `metadata[order]`. */
function brackets(path: readonly PropertyKey[]): string {
  const [first = '', ...rest] = path.map(String);
  return first + rest.map((part) => `[${part}]`).join('');
}
