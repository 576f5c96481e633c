import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Stripe } from 'stripe';
import { onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { listenLocally, localUrl } from '../../../src/sandbox/ports.ts';
import { startPaymentSimulator } from '../../../src/sandbox/simulators/payments.ts';

export const secretKey = 'sk_test_sandbox';

/** The path of a new file for this test. The file does not exist yet. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'ledger.jsonl');
}

/** Closes `part` when the test ends. */
export function closing<T extends { close: () => Promise<void> }>(part: T): T {
  onTestFinished(() => part.close());
  return part;
}

export type PaymentOptions = Partial<Parameters<typeof startPaymentSimulator>[0]>;

export async function startPayments(options: PaymentOptions = {}) {
  return closing(await startPaymentSimulator({ port: 0, ledgerFile: temporaryFile(), secretKey, ...options }));
}

/** Stripe's official client, without its own retries. */
export function stripeClient(url: string, key = secretKey): Stripe {
  const { hostname, port } = new URL(url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

/** Returns the error that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('Expected an error, but there was none.');
    },
    (error: unknown) => error,
  );
}

/** Serves `listener` on a free port until the test ends. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const port = await listenLocally(server, 0);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return localUrl(port);
}

/** Receives webhooks. Answers with the given statuses in turn, then with 204. */
export async function startReceiver(...statuses: number[]) {
  const received: { headers: Record<string, string>; body: string; status: number }[] = [];
  const url = await serve((request, response) => {
    void text(request).then((body) => {
      const status = statuses.shift() ?? 204;
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      received.push({ headers, body, status });
      return response.writeHead(status).end();
    });
  });
  return {
    url,
    received,
    /** The types of the events received, in order. */
    types: () => received.map(({ body }) => z.object({ type: z.string() }).parse(JSON.parse(body)).type),
    /** Waits until `count` webhooks were received. */
    wait: (count: number) => vi.waitUntil(() => received.length >= count, { timeout: 20_000 }),
  };
}
