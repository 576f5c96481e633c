import { setMaxListeners } from 'node:events';
import type { Hono } from 'hono';
import { z } from 'zod';
import { FaultPanel } from './faults.ts';
import { serveHttp, type SimulatorEnv } from './http.ts';
import { Ledger, type Stamped } from './ledger.ts';
import { mountControls, mountPage } from './panel.ts';
import { isWebhookEntry, webhookEntrySchemas, WebhookQueue, type WebhookEntry, type WebhookReceiver } from './webhooks.ts';

/** A running simulator. `faults` has the same effect as `/_sandbox/faults`. `close` drops open requests at once. */
export type Simulator<Entry extends { type: string }> = {
  url: string;
  port: number;
  faults: FaultPanel;
  ledger: () => readonly Stamped<Entry | WebhookEntry>[];
  close: () => Promise<void>;
};

/** What the parts of one simulator share. */
export type Shared<Entry extends { type: string }> = {
  ledger: Ledger<Entry | WebhookEntry>;
  panel: FaultPanel;
  /** Aborted when the simulator closes. */
  signal: AbortSignal;
};

/**
 * Starts a simulator on 127.0.0.1, with its state in `ledgerFile`. Port 0 means any free port. Background work must start
 * only once this resolves, and end when `signal` aborts.
 * @throws Error in production, because a simulator would take orders without taking money; or if the port is taken or the
 * ledger unreadable
 */
export async function startSimulator<Entry extends { type: string }>(options: {
  port: number;
  /** Names that it answers as, besides `localhost`. */
  allowedHosts?: readonly string[] | undefined;
  ledgerFile: string;
  entrySchema: z.ZodType<Entry>;
  /** Rebuilds the simulator's state, one ledger entry at a time. */
  apply: (entry: Stamped<Entry>) => void;
  createApp: (shared: Shared<Entry>) => Hono<SimulatorEnv>;
  /** The text of the standard page at `/`. Omit it if the app serves a page of its own. */
  page?: { title: string; about: string };
  /** Without a receiver, webhooks stay in the queue until a start that has one. */
  webhooks?: WebhookReceiver | undefined;
}): Promise<Shared<Entry> & { simulator: Simulator<Entry> }> {
  if (process.env['NODE_ENV'] === 'production') throw new Error('Simulators do not run with NODE_ENV=production.');
  const closing = new AbortController();
  // Every slow request listens to it.
  setMaxListeners(0, closing.signal);
  const webhooks = new WebhookQueue();
  const schema = z.union([options.entrySchema, ...webhookEntrySchemas]);
  const ledger = new Ledger<Entry | WebhookEntry>(options.ledgerFile, schema, (entry) =>
    isWebhookEntry(entry) ? webhooks.apply(entry) : options.apply(entry),
  );
  const panel: FaultPanel = new FaultPanel(() => operationsOf(app));
  const shared = { ledger, panel, signal: closing.signal };
  const app = options.createApp(shared);
  const entries = () => ledger.entries;
  mountControls(app, { panel, entries });
  if (options.page) mountPage(app, { ...options.page, panel, entries });
  const { port, url, close } = await serveHttp(app, options.port, options.allowedHosts ?? []);
  if (options.webhooks) webhooks.start(options.webhooks, (id) => ledger.append({ type: 'webhook.delivered', id }), closing.signal);
  return {
    ...shared,
    simulator: {
      url,
      port,
      faults: panel,
      ledger: entries,
      close: async () => {
        closing.abort();
        await close();
      },
    },
  };
}

/** The operations that a fault may name: every route under `/v1`. */
function operationsOf(app: Hono<SimulatorEnv>): string[] {
  return app.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/v1/')).map(({ method, path }) => `${method} ${path}`);
}
