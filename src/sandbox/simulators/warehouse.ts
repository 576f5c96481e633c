import { Webhook } from 'standardwebhooks';
import { startSimulator, type Simulator } from './simulator.ts';
import { createWarehouseApp } from './warehouse/app.ts';
import { warehouseEntrySchema, type WarehouseEntry } from './warehouse/shipments.ts';
import { Warehouse, type Pace } from './warehouse/warehouse.ts';
import type { WebhookReceiver, WebhookTarget } from './webhooks.ts';

/** A running warehouse simulator. */
export type WarehouseSimulator = Simulator<WarehouseEntry>;

/**
 * Starts the warehouse. A shipment ships `shipAfterMs` after it was accepted and is delivered `deliverAfterMs` after that.
 * Without these, it moves only by hand: `POST /_sandbox/shipments/{reference}/shipped|delivered|rejected`.
 * @throws Error as {@link startSimulator} does
 */
export async function startWarehouseSimulator(
  options: {
    port: number;
    ledgerFile: string;
    apiKey: string;
    /** `secret` has the format of Standard Webhooks, `whsec_<base64>`. */
    webhook?: WebhookTarget | undefined;
    /** Names that it answers as, besides `localhost`. */
    allowedHosts?: readonly string[];
  } & Pace,
): Promise<WarehouseSimulator> {
  const { port, ledgerFile, apiKey, webhook } = options;
  const warehouse = new Warehouse(options, webhook !== undefined);
  const { simulator, ledger, signal } = await startSimulator({
    port,
    allowedHosts: options.allowedHosts,
    ledgerFile,
    entrySchema: warehouseEntrySchema,
    apply: (entry) => warehouse.apply(entry),
    createApp: (shared) => createWarehouseApp({ ...shared, warehouse, apiKey }),
    page: {
      title: 'Warehouse simulator',
      about: 'Stands in for the warehouse and its carrier: shipments and cancellations under /v1, signed webhooks. Nothing is shipped.',
    },
    webhooks: webhook && { url: webhook.url, sign: standardSignature(webhook.secret) },
  });
  warehouse.start(ledger, signal);
  return simulator;
}

/** Signs as https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md describes. */
function standardSignature(secret: string): WebhookReceiver['sign'] {
  const signer = new Webhook(secret);
  return (id, payload, at) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signer.sign(id, at, payload),
  });
}
