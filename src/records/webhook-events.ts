import type { Transaction } from '../db/client.ts';
import { webhookEvents } from '../db/schema.ts';

/**
 * Stores an event of a provider once, however often it is sent. In the transaction of its effect, so that neither exists
 * without the other.
 * @returns false if it is stored already
 */
export async function storeWebhookEvent(
  tx: Transaction,
  event: { source: 'warehouse' | 'stripe'; eventId: string; type: string },
): Promise<boolean> {
  const stored = await tx
    .insert(webhookEvents)
    .values(event)
    .onConflictDoNothing()
    .returning({ eventId: webhookEvents.eventId });
  return stored.length > 0;
}
