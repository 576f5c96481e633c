import { ApplicationFailure } from '@temporalio/common';
import { Stripe } from 'stripe';
import { REFUND_STATUSES, type RefundStatus } from '../contracts/statuses.ts';
import { whyNoAnswer } from '../contracts/connection-errors.ts';
import { invalidRequest, isTransient, noAnswer, parseRetryAfter, refused } from './errors.ts';
import { createStripeHttpClient, NOT_OF_THE_PROVIDER } from './stripe-http.ts';

export interface PaymentIntent {
  id: string;
  status: Stripe.PaymentIntent.Status;
  /** Minor units. */
  amount: number;
  currency: string;
  /** Captured amount in minor units. */
  received: number;
  createdAt: Date;
}

export interface ProviderRefund {
  id: string;
  /** Minor units. */
  amount: number;
  status: RefundStatus;
}

/** A span of time: `from`, or everything, until just before `until`. In whole seconds: earlier ones may be included. */
export interface CreatedIn {
  from: Date | undefined;
  until: Date;
}

/** A page of a list, newest first. `after` asks for the one after it. */
export interface ProviderPage<Item> {
  items: Item[];
  after: string | undefined;
}

/**
 * The provider repeats an error that it has stored under this idempotency key (it stores 500s, too). The caller has to
 * read the payment and retry with a new key.
 */
export class StoredFailureError extends Error {
  override name = 'StoredFailureError';
}

/** The state of the payment does not allow the request, e.g. because it has been confirmed or cancelled meanwhile. */
export class UnexpectedStateError extends Error {
  override name = 'UnexpectedStateError';
}

/**
 * Payments by the Stripe API: an intent is created, then confirmed. However many answers are lost, an intent is paid at
 * most once, and one that is not paid can be cancelled for good. A single create-and-confirm call guarantees neither.
 * Errors: a refusal (`card_declined`), `invalid_request`, `payment_unavailable`; {@link StoredFailureError}, {@link UnexpectedStateError}.
 */
export interface PaymentGateway {
  createIntent(
    key: string,
    intent: { amount: number; currency: string; method: string; metadata: Record<string, string> },
  ): Promise<PaymentIntent>;
  retrieveIntent(id: string): Promise<PaymentIntent>;
  confirmIntent(key: string, id: string, method: string): Promise<PaymentIntent>;
  cancelIntent(key: string, id: string): Promise<PaymentIntent>;
  /** The answer to a repeated key is the first one, so read the present status with `listRefunds`. */
  refund(key: string, intentId: string, amount: number): Promise<ProviderRefund>;
  /** @returns every refund of a payment, in any status, newest first */
  listRefunds(intentId: string): Promise<ProviderRefund[]>;
  /** @returns undefined if the provider does not know it */
  findIntent(id: string): Promise<PaymentIntent | undefined>;
  /** @returns a page of at most 100 payments that were created in a span of time */
  listIntentsCreated(created: CreatedIn, after: string | undefined): Promise<ProviderPage<PaymentIntent>>;
  /** @returns a page of at most 100 refunds that were created in a span of time, with the payments that they are of */
  listRefundsCreated(
    created: CreatedIn,
    after: string | undefined,
  ): Promise<ProviderPage<ProviderRefund & { intentId: string | undefined; createdAt: Date }>>;
}

/**
 * @param options `apiBase` such as `https://api.stripe.com`; `timeout` in ms for one request
 * @see https://docs.stripe.com/api
 */
export function createPaymentGateway(options: {
  secretKey: string;
  apiBase: string;
  timeout?: number;
}): PaymentGateway {
  const base = new URL(options.apiBase);
  const secure = base.protocol === 'https:';
  const stripe = new Stripe(options.secretKey, {
    host: base.hostname,
    port: base.port || (secure ? 443 : 80),
    protocol: secure ? 'https' : 'http',
    timeout: options.timeout ?? 20_000,
    // Temporal retries, visibly. The client still repeats once after a lost connection, so every POST has a key.
    maxNetworkRetries: 0,
    telemetry: false,
    httpClient: createStripeHttpClient(),
  });
  return {
    createIntent: (key, { amount, currency, method, metadata }) =>
      sorted(async () =>
        view(
          await stripe.paymentIntents.create(
            {
              amount,
              currency: currency.toLowerCase(),
              payment_method: method,
              // No payment methods with redirects: the customer is not present when a workflow confirms.
              automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
              metadata,
            },
            { idempotencyKey: key },
          ),
        ),
      ),
    retrieveIntent: (id) => sorted(async () => view(await stripe.paymentIntents.retrieve(id))),
    confirmIntent: (key, id, method) =>
      sorted(async () =>
        view(await stripe.paymentIntents.confirm(id, { payment_method: method }, { idempotencyKey: key })),
      ),
    cancelIntent: (key, id) =>
      sorted(async () => view(await stripe.paymentIntents.cancel(id, {}, { idempotencyKey: key }))),
    refund: (key, intentId, amount) =>
      sorted(async () =>
        refundView(await stripe.refunds.create({ payment_intent: intentId, amount }, { idempotencyKey: key })),
      ),
    listRefunds: (intentId) =>
      sorted(async () => {
        const refunds: ProviderRefund[] = [];
        // Asks for the next page as long as there is one.
        for await (const refund of stripe.refunds.list({ payment_intent: intentId, limit: 100 })) {
          refunds.push(refundView(refund));
        }
        return refunds;
      }),
    findIntent: (id) =>
      sorted(async () => {
        try {
          return view(await stripe.paymentIntents.retrieve(id));
        } catch (error) {
          if (error instanceof Stripe.errors.StripeError && error.statusCode === 404 && error.code !== NOT_OF_THE_PROVIDER) return undefined;
          throw error;
        }
      }),
    listIntentsCreated: (created, after) =>
      sorted(async () => pageOf(await stripe.paymentIntents.list(pageParams(created, after)), view)),
    listRefundsCreated: (created, after) =>
      sorted(async () =>
        pageOf(await stripe.refunds.list(pageParams(created, after)), (refund) => ({
          ...refundView(refund),
          intentId: typeof refund.payment_intent === 'string' ? refund.payment_intent : refund.payment_intent?.id,
          createdAt: toDate(refund.created),
        })),
      ),
  };
}

const toSeconds = (date: Date): number => Math.floor(date.getTime() / 1_000);
const toDate = (seconds: number): Date => new Date(seconds * 1_000);

const pageParams = ({ from, until }: CreatedIn, after: string | undefined) => ({
  limit: 100,
  created: { ...(from && { gte: toSeconds(from) }), lte: toSeconds(until) },
  ...(after === undefined ? {} : { starting_after: after }),
});

function pageOf<Object extends { id: string }, Item>(
  { data, has_more: hasMore }: Stripe.ApiList<Object>,
  show: (object: Object) => Item,
): ProviderPage<Item> {
  return { items: data.map(show), after: hasMore ? data.at(-1)?.id : undefined };
}

const refundView = ({ id, amount, status }: Stripe.Refund): ProviderRefund => ({
  id,
  amount,
  // A status that we do not know does not count as given back.
  status: REFUND_STATUSES.find((known) => known === status) ?? 'pending',
});

const view = (intent: Stripe.PaymentIntent): PaymentIntent => ({
  id: intent.id,
  status: intent.status,
  amount: intent.amount,
  currency: intent.currency.toUpperCase(),
  received: intent.amount_received,
  createdAt: toDate(intent.created),
});

async function sorted<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw sortStripeError(error);
  }
}

function sortStripeError(error: unknown): Error {
  if (!(error instanceof Stripe.errors.StripeError)) {
    return error instanceof Error ? error : ApplicationFailure.create({ message: String(error) });
  }
  const status = error.statusCode ?? 0;
  if (error instanceof Stripe.errors.StripeCardError) {
    return refused('card_declined', `The card was declined (${error.decline_code ?? error.code ?? 'no code'}).`);
  }
  if (error.code === 'payment_intent_unexpected_state') return new UnexpectedStateError(error.message);
  if (error.param === 'payment_method') return refused('card_declined', 'Unknown payment method.');
  if (status >= 500 && error.headers?.['idempotent-replayed'] === 'true') return new StoredFailureError(error.message);
  // 409: the first request with this key, or another one for this payment, is still in progress.
  if (status === 0 || status === 409 || isTransient(status)) {
    const retryAfter = parseRetryAfter(error.headers?.['retry-after']);
    return noAnswer('payment', `No answer from the payment provider (${status || whyNoAnswer(error)}).`, retryAfter);
  }
  if (error.code === NOT_OF_THE_PROVIDER) return noAnswer('payment', `No answer from the payment provider (${status}, unreadable answer).`);
  return invalidRequest(`The payment provider rejected the request (${status} ${error.code ?? error.type}).`);
}
