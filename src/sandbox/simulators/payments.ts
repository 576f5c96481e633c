import { createPaymentApp } from './payments/app.ts';
import { signatureHeader } from './payments/events.ts';
import { paymentEntrySchema, type PaymentEntry } from './payments/objects.ts';
import { PaymentState } from './payments/state.ts';
import { startSimulator, type Simulator } from './simulator.ts';
import type { WebhookTarget } from './webhooks.ts';

/** A running payment simulator. */
export type PaymentSimulator = Simulator<PaymentEntry>;

/**
 * Starts the payment provider. It speaks Stripe's wire format, so the official `stripe` client works with it unchanged.
 * @throws Error as {@link startSimulator} does
 */
export async function startPaymentSimulator(options: {
  port: number;
  ledgerFile: string;
  /** The API key that callers must present, `sk_test_…`. */
  secretKey: string;
  webhook?: WebhookTarget | undefined;
}): Promise<PaymentSimulator> {
  const { port, ledgerFile, secretKey, webhook } = options;
  const state = new PaymentState();
  const { simulator } = await startSimulator({
    port,
    ledgerFile,
    entrySchema: paymentEntrySchema,
    apply: (entry) => state.apply(entry),
    createApp: (shared) => createPaymentApp({ ...shared, state, secretKey, sendsWebhooks: webhook !== undefined }),
    page: {
      title: 'Payment simulator',
      about: 'Stands in for Stripe: payment intents, refunds, charges, idempotency keys and signed webhooks under /v1. No money moves.',
    },
    webhooks: webhook && { url: webhook.url, sign: (_id, payload, at) => signatureHeader(webhook.secret, payload, at) },
  });
  return simulator;
}
