import { Hono, type Context } from 'hono';
import type { z } from 'zod';
import { underFault } from '../faults.ts';
import { faultMiddleware } from '../fault-middleware.ts';
import type { SimulatorEnv } from '../http.ts';
import { KeyedLock } from '../keyed-lock.ts';
import type { Shared } from '../simulator.ts';
import { StripeError } from './errors.ts';
import { eventsOf } from './events.ts';
import type { Later } from './later.ts';
import { fingerprint, IdempotencyKeys } from './idempotency.ts';
import type { AnswerStatus, PaymentEntry } from './objects.ts';
import { cancelIntent, confirmIntent, createCharge, createIntent, createRefund, newId, type Outcome } from './operations.ts';
import {
  cancelIntentParams,
  confirmIntentParams,
  createChargeParams,
  createIntentParams,
  createRefundParams,
  listIntentsParams,
  listRefundsParams,
  noParams,
  parseParams,
  type Created,
} from './params.ts';
import type { PaymentState } from './state.ts';

type Parts = Shared<PaymentEntry> & { state: PaymentState; later: Later; secretKey: string; sendsWebhooks: boolean };

/** The payment provider's HTTP API in Stripe's wire format. */
export function createPaymentApp({ state, later, ledger, panel, secretKey, sendsWebhooks, signal }: Parts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  const keys = new IdempotencyKeys(state);
  const locks = new KeyedLock();

  app.use('/v1/*', async (c, next) => {
    c.set('requestId', newId('req'));
    c.header('Request-Id', c.get('requestId'));
    requireKey(c, secretKey);
    await next();
  });
  app.use(
    '/v1/*',
    faultMiddleware(panel, (c, status, code, message) => c.json({ error: { type: status === 429 ? 'invalid_request_error' : 'api_error', code, message } }, status)),
  );
  app.onError((error, c) => {
    if (error instanceof StripeError) return c.json({ error: error.body }, error.status);
    return c.json({ error: { type: 'api_error', message: 'An unknown error occurred' } }, 500);
  });
  app.notFound((c) =>
    c.json({ error: { type: 'invalid_request_error', message: `Unrecognized request URL (${c.req.method}: ${c.req.path}).` } }, 404),
  );

  /** Adds a route that changes state: executed once per idempotency key, one request at a time per object. */
  function post<P>(
    path: string,
    schema: z.ZodType<P>,
    execute: (state: PaymentState, params: P, key: string | null, id: string) => Outcome,
    lockOn: (params: P, id: string) => string | undefined = (_params, id) => id,
  ): void {
    app.post(path, async (c) => {
      const encoded = await c.req.text();
      const params = parseParams(schema, encoded);
      const id = c.req.param('id') ?? '';
      const key = c.req.header('Idempotency-Key') ?? null;
      const requestId = c.get('requestId');
      const print = fingerprint(c.req.method, c.req.path, encoded);
      const stored = key === null ? undefined : keys.find(key, print);
      if (stored) {
        c.header('Idempotent-Replayed', 'true');
        c.header('Original-Request', stored.requestId);
        return answer(c, stored.status, stored.body);
      }
      const run = async (): Promise<Outcome> => {
        const outcome = await underFault(c.get('fault'), signal, () => settle(() => execute(state, params, key, id)), lostAnswer);
        const result: PaymentEntry[] =
          key === null ? [] : [{ type: 'idempotency.stored', key, fingerprint: print, status: outcome.status, body: outcome.body, requestId }];
        const events = sendsWebhooks ? eventsOf(outcome.entries, state, requestId) : [];
        // One commit: a crash never separates the change from its stored answer or its events.
        ledger.append(...outcome.entries, ...result, ...events);
        return outcome;
      };
      const lock = lockOn(params, id);
      const { status, body } = await keys.hold(key, () => (lock ? locks.run(lock, run) : run()));
      return answer(c, status, body);
    });
  }

  /** Adds a route that only reads. */
  function get<P>(path: string, schema: z.ZodType<P>, read: (params: P, id: string) => object): void {
    app.get(path, async (c) => {
      const params = parseParams(schema, new URL(c.req.url).search.slice(1));
      const execute = (): Outcome => ({ status: 200, body: read(params, c.req.param('id') ?? ''), entries: [] });
      const { status, body } = await underFault(c.get('fault'), signal, execute, lostAnswer);
      return answer(c, status, body);
    });
  }

  post('/v1/payment_intents', createIntentParams, createIntent);
  get('/v1/payment_intents', listIntentsParams, (params) => list('/v1/payment_intents', [...state.intents.values()], params));
  get('/v1/payment_intents/:id', noParams, (_params, id) => state.intent(id, 'intent'));
  post('/v1/payment_intents/:id/confirm', confirmIntentParams, confirmIntent);
  post('/v1/payment_intents/:id/cancel', cancelIntentParams, cancelIntent);
  post('/v1/refunds', createRefundParams, createRefund, ({ payment_intent: intent, charge }) =>
    intent ?? (charge === undefined ? undefined : (state.charges.get(charge)?.payment_intent ?? charge)),
  );
  get('/v1/refunds', listRefundsParams, (params) => list('/v1/refunds', ofPayment(state.refunds, params), params));
  get('/v1/refunds/:id', noParams, (_params, id) => state.refund(id, 'id'));
  post('/v1/charges', createChargeParams, createCharge);
  get('/v1/charges/:id', noParams, (_params, id) => state.charge(id, 'id'));
  get('/v1/disputes', listRefundsParams, (params) => list('/v1/disputes', ofPayment(state.disputes, params), params));
  get('/v1/disputes/:id', noParams, (_params, id) => state.dispute(id, 'id'));

  // What the bank decides. Stripe itself has no requests for these.
  for (const status of ['succeeded', 'failed', 'canceled'] as const) {
    app.post(`/_sandbox/refunds/:id/${status}`, (c) => c.json(later.settleRefund(c.req.param('id'), status)));
  }
  app.post('/_sandbox/charges/:id/dispute', (c) => c.json(later.dispute(c.req.param('id'))));
  for (const status of ['under_review', 'won', 'lost'] as const) {
    app.post(`/_sandbox/disputes/:id/${status}`, (c) => c.json(later.moveDispute(c.req.param('id'), status)));
  }
  return app;
}

/** Turns an error during execution into an outcome, because Stripe stores it under the idempotency key like any other. */
function settle(execute: () => Outcome): Outcome {
  try {
    return execute();
  } catch (error) {
    if (error instanceof StripeError) return { status: error.status, body: { error: error.body }, entries: [] };
    throw error;
  }
}

const lostAnswer = ({ entries }: Outcome, message: string): Outcome => ({ status: 500, body: { error: { type: 'api_error', message } }, entries });

function answer(c: Context, status: AnswerStatus, body: unknown): Response {
  return c.newResponse(JSON.stringify(body), status, { 'content-type': 'application/json' });
}

function requireKey(c: Context, secretKey: string): void {
  const token = /^Bearer (.+)$/.exec(c.req.header('Authorization') ?? '')?.[1];
  if (token === secretKey) return;
  const message = token === undefined ? 'You did not provide an API key.' : `Invalid API Key provided: ${token.slice(0, 8)}****`;
  throw new StripeError(401, { type: 'invalid_request_error', message });
}

/** Those of one payment intent or charge, if the request names one. */
function ofPayment<Part extends { payment_intent: string | null; charge: string }>(
  parts: ReadonlyMap<string, Part>,
  { payment_intent: intent, charge }: { payment_intent?: string | undefined; charge?: string | undefined },
): Part[] {
  return [...parts.values()].filter(
    (part) => (intent === undefined || part.payment_intent === intent) && (charge === undefined || part.charge === charge),
  );
}

/** One page of a list in Stripe's format, newest first. */
function list(
  url: string,
  objects: { id: string; created: number }[],
  { limit, starting_after: after, created }: { limit: number; starting_after?: string | undefined; created?: Created | undefined },
): object {
  const newestFirst = objects.toReversed().filter((object) => isWithin(object.created, created));
  const start = after === undefined ? 0 : newestFirst.findIndex(({ id }) => id === after) + 1;
  const data = newestFirst.slice(start, start + limit);
  return { object: 'list', url, has_more: start + limit < newestFirst.length, data };
}

const isWithin = (at: number, { gt = -1, gte = 0, lt = Infinity, lte = Infinity }: Created = {}): boolean =>
  at > gt && at >= gte && at < lt && at <= lte;
