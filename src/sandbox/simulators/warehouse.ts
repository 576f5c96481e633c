import { Webhook } from 'standardwebhooks';
import { FaultPanel } from './faults.ts';
import { operationsOf, refuseInProduction, serveOnLoopback } from './http.ts';
import { Ledger, type Stamped } from './ledger.ts';
import { mountControls, mountPage } from './panel.ts';
import { createWarehouseApp } from './warehouse/app.ts';
import { warehouseEntrySchema, type WarehouseEntry } from './warehouse/shipments.ts';
import { Warehouse, type Pace } from './warehouse/warehouse.ts';
import { WebhookQueue, type WebhookTarget } from './webhooks.ts';

/** A running warehouse simulator. `faults` acts on it as `/_sandbox/faults` does; `close` is prompt. */
export type WarehouseSimulator = {
  url: string;
  port: number;
  faults: FaultPanel;
  ledger: () => readonly Stamped<WarehouseEntry>[];
  close: () => Promise<void>;
};

/**
 * Starts the warehouse on 127.0.0.1, state in `ledgerFile`. Port 0 means any free port. A shipment ships `shipAfterMs`
 * after its acceptance and is delivered `deliverAfterMs` after that; without them only by hand, at
 * `POST /_sandbox/shipments/{reference}/shipped|delivered|rejected`.
 * @throws Error in production, or when the port is taken or the ledger unreadable.
 */
export async function startWarehouseSimulator(
  options: {
    port: number;
    ledgerFile: string;
    apiKey: string;
    /** `secret` in the form of Standard Webhooks, `whsec_<base64>`. */
    webhook?: WebhookTarget | undefined;
  } & Pace,
): Promise<WarehouseSimulator> {
  refuseInProduction();
  const { webhook } = options;
  const closing = new AbortController();
  const signer = webhook && new Webhook(webhook.secret);
  const warehouse = new Warehouse(options, webhook !== undefined);
  // Headers: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const webhooks = new WebhookQueue(webhook?.url, (id, payload, at) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signer?.sign(id, at, payload) ?? '',
  }));
  const ledger = new Ledger(options.ledgerFile, warehouseEntrySchema, (entry) => {
    warehouse.apply(entry);
    webhooks.apply(entry);
  });
  const panel: FaultPanel = new FaultPanel(() => operationsOf(app));
  const app = createWarehouseApp({ warehouse, panel, apiKey: options.apiKey, signal: closing.signal });
  mountControls(app, { panel, entries: () => ledger.entries });
  mountPage(app, {
    title: 'Warehouse simulator',
    about: 'Stands in for the warehouse and its carrier: shipments and cancellations under /v1, signed webhooks. Nothing is shipped.',
    panel,
    entries: () => ledger.entries,
  });
  const server = await serveOnLoopback(app, options.port);
  if (webhook) webhooks.start((id) => ledger.append({ type: 'webhook.delivered', id }));
  warehouse.start(ledger);
  return {
    url: server.url,
    port: server.port,
    faults: panel,
    ledger: () => ledger.entries,
    close: async () => {
      closing.abort();
      webhooks.close();
      warehouse.close();
      await server.close();
    },
  };
}
