import { createHmac } from 'node:crypto';
import type { WebhookEntry } from '../webhooks.ts';
import type { PaymentEntry } from './objects.ts';
import { newId } from './operations.ts';
import { refundedBy, type PaymentState } from './state.ts';

const eventTypes: Partial<Record<PaymentEntry['type'], string>> = {
  'payment_intent.succeeded': 'payment_intent.succeeded',
  'payment_intent.declined': 'payment_intent.payment_failed',
  'refund.created': 'charge.refunded',
};

/** Returns the Stripe events for `entries`, as entries for the webhook queue. `state` must not include `entries` yet. */
export function eventsOf(entries: readonly PaymentEntry[], state: PaymentState, requestId: string): WebhookEntry[] {
  return entries.flatMap((entry): WebhookEntry[] => {
    const type = eventTypes[entry.type];
    if (type === undefined || !('object' in entry)) return [];
    const id = newId('evt');
    const event = {
      id,
      object: 'event',
      api_version: null,
      created: Math.floor(Date.now() / 1000),
      data: { object: entry.type === 'refund.created' ? refundedBy(state.charge(entry.charge, 'charge'), entry.amount) : entry.object },
      livemode: false,
      pending_webhooks: 1,
      request: { id: requestId, idempotency_key: entry.idempotencyKey },
      type,
    };
    return [{ type: 'webhook.queued', id, payload: JSON.stringify(event) }];
  });
}

/** Returns the `Stripe-Signature` header. Source: https://docs.stripe.com/webhooks#verify-manually */
export function signatureHeader(secret: string, payload: string, at: Date): Record<string, string> {
  const seconds = Math.floor(at.getTime() / 1000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${payload}`).digest('hex');
  return { 'Stripe-Signature': `t=${seconds},v1=${signature}` };
}
