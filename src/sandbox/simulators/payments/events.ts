import { createHmac } from 'node:crypto';
import type { WebhookEntry } from '../webhooks.ts';
import type { PaymentEntry } from './objects.ts';
import { newId } from './operations.ts';
import type { PaymentState } from './state.ts';

/** Returns the Stripe events for `entries`, as entries for the webhook queue. `state` must not include `entries` yet. */
export function eventsOf(entries: readonly PaymentEntry[], state: PaymentState, requestId: string | null): WebhookEntry[] {
  return entries.flatMap((entry) =>
    whatHappened(entry, state).map(([type, object]): WebhookEntry => {
      const id = newId('evt');
      const event = {
        id,
        object: 'event',
        api_version: null,
        created: Math.floor(Date.now() / 1000),
        data: { object },
        livemode: false,
        pending_webhooks: 1,
        request: { id: requestId, idempotency_key: 'idempotencyKey' in entry ? entry.idempotencyKey : null },
        type,
      };
      return { type: 'webhook.queued', id, payload: JSON.stringify(event) };
    }),
  );
}

/** The type and the object of each event. Source: https://docs.stripe.com/api/events/types */
function whatHappened(entry: PaymentEntry, state: PaymentState): [string, object][] {
  switch (entry.type) {
    case 'payment_intent.succeeded':
    case 'payment_intent.canceled':
      return [[entry.type, entry.object]];
    case 'payment_intent.declined':
      return [['payment_intent.payment_failed', entry.object]];
    case 'refund.created':
      return [
        ['refund.created', entry.object],
        ['charge.refunded', state.refundedBy(entry.object)],
      ];
    case 'refund.updated':
      return [[entry.object.status === 'failed' ? 'refund.failed' : 'refund.updated', entry.object]];
    case 'dispute.created':
    case 'dispute.updated':
    case 'dispute.closed':
      return [[`charge.${entry.type}`, entry.object]];
    case 'payment_intent.created':
    case 'charge.created':
    case 'charge.failed':
    case 'idempotency.stored':
      return [];
  }
}

/** Returns the `Stripe-Signature` header. Source: https://docs.stripe.com/webhooks#verify-manually */
export function signatureHeader(secret: string, payload: string, at: Date): Record<string, string> {
  const seconds = Math.floor(at.getTime() / 1000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${payload}`).digest('hex');
  return { 'Stripe-Signature': `t=${seconds},v1=${signature}` };
}
