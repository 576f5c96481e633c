import { createRoute, z } from '@hono/zod-openapi';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { line } from '../../contracts/fields.ts';
import { recordCarrierWebhook } from '../../intake/webhooks.ts';
import type { Api, Dependencies } from '../environment.ts';
import { invalidFields, Problem, problems, WITH_BODY } from '../errors.ts';
import { rejectedParcel, shippedParcel, warehouseHeaders, warehouseSignatureExample } from '../examples/webhooks.ts';
import { json, jsonBody } from '../schemas/common.ts';
import { requestHeader } from '../schemas/header.ts';
import { verifyWithAny } from '../webhook-secrets.ts';

/** Not strict: the sender may add fields before we know them. */
const eventSchema = z
  .looseObject({
    type: line(200),
    data: z.object({
      reference: line(200),
      carrier: line(200).optional(),
      trackingNumber: line(200).optional(),
      reason: line(500).optional(),
    }),
  })
  .openapi('WarehouseEvent');

/** Visible ASCII characters, few enough for an index. */
const EVENT_ID = /^[!-~]{1,200}$/;

const signatureHeaders = [
  requestHeader('webhook-id', 'The same for every delivery of the same event', {
    pattern: EVENT_ID.source,
    example: warehouseHeaders['webhook-id'],
  }),
  requestHeader('webhook-timestamp', 'When it was sent, in seconds since 1970. At most 5 minutes ago', {
    example: warehouseHeaders['webhook-timestamp'],
  }),
  requestHeader('webhook-signature', 'One or more signatures, separated by spaces', {
    example: warehouseHeaders['webhook-signature'],
  }),
];

const route = createRoute({
  method: 'post',
  path: '/v1/webhooks/warehouse',
  operationId: 'receiveWarehouseWebhook',
  tags: ['Webhooks'],
  summary: 'What the warehouse reports about a parcel',
  description:
    'Signed as in Standard Webhooks (https://www.standardwebhooks.com). The same event may be sent again.' +
    warehouseSignatureExample,
  parameters: signatureHeaders,
  request: { body: jsonBody(eventSchema, { shipped: shippedParcel, rejected: rejectedParcel }) },
  responses: {
    202: {
      description: 'Accepted, or already known',
      content: json(z.strictObject({ received: z.literal(true) }), { received: { received: true } }),
    },
    ...problems('invalid_signature', ...WITH_BODY),
  },
});

export const receiveWarehouseWebhook = (api: Api, { db, log, warehouseWebhookSecrets }: Dependencies) => {
  const webhooks = warehouseWebhookSecrets.map((secret) => new Webhook(secret));

  // Before the validation, so that a caller who cannot sign learns nothing about what would be valid.
  api.use(route.path, async (c, next) => {
    if (c.req.method === 'POST') {
      const [body, headers] = [await c.req.text(), c.req.header()];
      verifyWithAny(webhooks, (webhook) => verifySignature(webhook, body, headers));
    }
    await next();
  });

  return api.openapi(route, async (c) => {
    const { type, data } = c.req.valid('json');
    const eventId = readEventId(c.req.header('webhook-id'));
    const { carrier = '', trackingNumber = '' } = data;
    const outcome = await recordCarrierWebhook(db, { eventId, type, data: { ...data, carrier, trackingNumber } });
    log.info({ requestId: c.var.requestId, eventId, type, outcome }, 'warehouse event');
    return c.json({ received: true as const }, 202);
  });
};

/** @throws Problem `invalid_fields` for an id that cannot be stored */
function readEventId(id = ''): string {
  if (EVENT_ID.test(id)) return id;
  throw invalidFields([{ in: 'header', pointer: '/webhook-id', detail: 'must be 1 to 200 visible ASCII characters' }]);
}

/** Also checks the age: 5 minutes at most. */
function verifySignature(webhook: Webhook, body: string, headers: Record<string, string>): void {
  try {
    webhook.verify(body, headers, { jsonParse: false });
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    throw new Problem('invalid_signature', error.message, { headers: { 'WWW-Authenticate': 'Webhook-Signature' } });
  }
}
