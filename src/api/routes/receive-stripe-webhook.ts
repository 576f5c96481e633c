import { createRoute, z } from '@hono/zod-openapi';
import { createMiddleware } from 'hono/factory';
import { Stripe } from 'stripe';
import { line } from '../../contracts/fields.ts';
import { recordPaymentWebhook } from '../../intake/payment-webhooks.ts';
import type { Api, ApiEnv, Dependencies } from '../environment.ts';
import { Problem, problems, WITH_BODY } from '../errors.ts';
import { failedRefund, stripeSignature, stripeSignatureExample } from '../examples/webhooks.ts';
import { json, jsonBody } from '../schemas/common.ts';
import { requestHeader } from '../schemas/header.ts';
import { verifyWithAny } from '../webhook-secrets.ts';

export const STRIPE_WEBHOOK_PATH = '/v1/webhooks/stripe';

/** Not strict: the provider adds fields as it likes. */
const eventSchema = z
  .looseObject({
    id: line(200),
    type: line(200),
    created: z.int().max(Number.MAX_SAFE_INTEGER),
    data: z.object({ object: z.looseObject({}) }),
  })
  .openapi('StripeEvent');

interface EventEnv {
  Variables: ApiEnv['Variables'] & { event: Stripe.Event };
}

/** Verifies before anything else, so that a caller who cannot sign learns nothing about what would be valid. */
const verifiedWith = (secrets: readonly string[]) =>
  createMiddleware<EventEnv>(async (c, next) => {
    const [body, signature] = [await c.req.text(), c.req.header('Stripe-Signature')];
    c.set('event', verifyWithAny(secrets, (secret) => readEvent(body, signature, secret)));
    await next();
  });

/** Also checks the age: 5 minutes at most. @throws Problem `invalid_signature` */
function readEvent(body: string, signature: string | undefined, secret: string): Stripe.Event {
  try {
    return Stripe.webhooks.constructEvent(body, signature ?? '', secret);
  } catch (error) {
    if (error instanceof SyntaxError) throw new Problem('malformed_json', 'The body is not valid JSON.');
    if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    throw new Problem('invalid_signature', 'The Stripe-Signature is missing, wrong or too old.', {
      headers: { 'WWW-Authenticate': 'Webhook-Signature' },
    });
  }
}

export const receiveStripeWebhook = (api: Api, { db, log, stripeWebhookSecrets }: Dependencies) => {
  const route = createRoute({
    method: 'post',
    path: STRIPE_WEBHOOK_PATH,
    operationId: 'receiveStripeWebhook',
    tags: ['Webhooks'],
    summary: 'What the payment provider reports',
    description:
      'Signed as Stripe signs (https://docs.stripe.com/webhooks). The same event may be sent again, and events may come in any order. Types that are of no use here are answered with 200 and ignored.' +
      stripeSignatureExample,
    middleware: verifiedWith(stripeWebhookSecrets),
    parameters: [requestHeader('Stripe-Signature', 'The time and the signature', { example: stripeSignature })],
    request: { body: jsonBody(eventSchema, { failedRefund }) },
    responses: {
      200: {
        description: 'Received, or already known',
        content: json(z.strictObject({ received: z.literal(true) }), { received: { received: true } }),
      },
      ...problems('invalid_signature', ...WITH_BODY),
    },
  });

  return api.openapi(route, async (c) => {
    const { event } = c.var;
    const outcome = await recordPaymentWebhook(db, event);
    // Another application may share the account. It would not help if the provider sent the event again.
    const level = outcome === 'unknown_payment' ? 'warn' : 'info';
    log[level]({ requestId: c.var.requestId, eventId: event.id, type: event.type, outcome }, 'payment event');
    return c.json({ received: true as const }, 200);
  });
};
