import { createPaymentApp } from './payments/app.ts';
import { signatureHeader } from './payments/events.ts';
import { Later } from './payments/later.ts';
import { paymentEntrySchema, type PaymentEntry } from './payments/objects.ts';
import { PaymentState } from './payments/state.ts';
import { startSimulator, type Simulator } from './simulator.ts';
import type { WebhookTarget } from './webhooks.ts';

/** A running payment simulator. */
export type PaymentSimulator = Simulator<PaymentEntry> & {
  /** What the bank decides, also at `/_sandbox/refunds/{id}/…`, `/_sandbox/charges/{id}/dispute` and `/_sandbox/disputes/{id}/…`. */
  bank: Pick<Later, 'settleRefund' | 'dispute' | 'moveDispute'>;
};

/**
 * Starts the payment provider. It speaks Stripe's wire format, so the official `stripe` client works with it unchanged.
 * Refunds of `pm_card_pendingRefund` and `pm_card_refundFail` change `settleAfterMs` after they were requested, and charges of
 * `pm_card_createDispute` are disputed then. Without it, that is done by hand.
 * @throws Error as {@link startSimulator} does
 */
export async function startPaymentSimulator(options: {
  port: number;
  ledgerFile: string;
  /** The API key that callers must present, `sk_test_…`. */
  secretKey: string;
  webhook?: WebhookTarget | undefined;
  settleAfterMs?: number | undefined;
  /** Names that it answers as, besides `localhost`. */
  allowedHosts?: readonly string[];
}): Promise<PaymentSimulator> {
  const { port, ledgerFile, secretKey, webhook } = options;
  const state = new PaymentState();
  const later = new Later(state, options.settleAfterMs, webhook !== undefined);
  const { simulator, ledger, signal } = await startSimulator({
    port,
    allowedHosts: options.allowedHosts,
    ledgerFile,
    entrySchema: paymentEntrySchema,
    apply: (entry) => {
      state.apply(entry);
      later.consider(entry);
    },
    createApp: (shared) => createPaymentApp({ ...shared, state, later, secretKey, sendsWebhooks: webhook !== undefined }),
    page: {
      title: 'Payment simulator',
      about: 'Stands in for Stripe: payment intents, refunds, charges, disputes, idempotency keys and signed webhooks under /v1. No money moves.',
    },
    webhooks: webhook && { url: webhook.url, sign: (_id, payload, at) => signatureHeader(webhook.secret, payload, at) },
  });
  later.start(ledger, signal);
  return { ...simulator, bank: later };
}
