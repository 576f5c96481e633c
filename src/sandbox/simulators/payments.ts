import { FaultPanel } from './faults.ts';
import { operationsOf, refuseInProduction, serveOnLoopback } from './http.ts';
import { Ledger, type Stamped } from './ledger.ts';
import { mountControls, mountPage } from './panel.ts';
import { createPaymentApp } from './payments/app.ts';
import { signatureHeader } from './payments/events.ts';
import { paymentEntrySchema, type PaymentEntry } from './payments/objects.ts';
import { PaymentState } from './payments/state.ts';
import { WebhookQueue, type WebhookTarget } from './webhooks.ts';

/** A running payment simulator. `faults` acts on it as `/_sandbox/faults` does; `close` is prompt. */
export type PaymentSimulator = {
  url: string;
  port: number;
  faults: FaultPanel;
  ledger: () => readonly Stamped<PaymentEntry>[];
  close: () => Promise<void>;
};

/**
 * Starts the payment provider: Stripe's wire format on 127.0.0.1, state in `ledgerFile`, so that the official `stripe`
 * client talks to it unchanged. Port 0 means any free port.
 * @throws Error in production, or when the port is taken or the ledger unreadable.
 */
export async function startPaymentSimulator(options: {
  port: number;
  ledgerFile: string;
  /** The API key that callers must present, `sk_test_…`. */
  secretKey: string;
  webhook?: WebhookTarget | undefined;
}): Promise<PaymentSimulator> {
  refuseInProduction();
  const { webhook } = options;
  const closing = new AbortController();
  const state = new PaymentState();
  const webhooks = new WebhookQueue(webhook?.url, (_id, payload, at) => signatureHeader(webhook?.secret ?? '', payload, at));
  const ledger = new Ledger(options.ledgerFile, paymentEntrySchema, (entry) => {
    state.apply(entry);
    webhooks.apply(entry);
  });
  const panel: FaultPanel = new FaultPanel(() => operationsOf(app));
  const app = createPaymentApp({ state, ledger, panel, secretKey: options.secretKey, sendsWebhooks: webhook !== undefined, signal: closing.signal });
  mountControls(app, { panel, entries: () => ledger.entries });
  mountPage(app, {
    title: 'Payment simulator',
    about: 'Stands in for Stripe: payment intents, refunds, charges, idempotency keys and signed webhooks under /v1. No money moves.',
    panel,
    entries: () => ledger.entries,
  });
  const server = await serveOnLoopback(app, options.port);
  if (webhook) webhooks.start((id) => ledger.append({ type: 'webhook.delivered', id }));
  return {
    url: server.url,
    port: server.port,
    faults: panel,
    ledger: () => ledger.entries,
    close: async () => {
      closing.abort();
      webhooks.close();
      await server.close();
    },
  };
}
