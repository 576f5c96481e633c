import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** Where a simulator sends its webhooks, and the secret that signs them. */
export type WebhookTarget = { url: string; secret: string };

/** Receives webhooks at `url`, with the headers that `sign` returns. */
export type WebhookReceiver = { url: string; sign: (id: string, payload: string, at: Date) => Record<string, string> };

const queued = z.object({ type: z.literal('webhook.queued'), id: z.string(), payload: z.string() });
const delivered = z.object({ type: z.literal('webhook.delivered'), id: z.string() });

/** Ledger entries of the queue, so that it survives a restart. */
export const webhookEntrySchemas = [queued, delivered] as const;
export type WebhookEntry = z.infer<(typeof webhookEntrySchemas)[number]>;

/** Tells entries of the queue from those of the simulator. */
export const isWebhookEntry = (entry: { type: string }): entry is WebhookEntry =>
  webhookEntrySchemas.some(({ shape }) => shape.type.value === entry.type);

/**
 * Delivers the queued webhooks of a ledger at least once. Retries each one after 1 s, 2 s, … up to 30 s until the receiver
 * answers 2xx. A slow receiver never delays the simulator.
 */
export class WebhookQueue {
  readonly #pending = new Map<string, string>();
  #send: ((id: string, payload: string) => void) | undefined;

  /** Applies a ledger entry to the queue. */
  apply(entry: WebhookEntry): void {
    switch (entry.type) {
      case 'webhook.queued':
        this.#pending.set(entry.id, entry.payload);
        this.#send?.(entry.id, entry.payload);
        break;
      case 'webhook.delivered':
        this.#pending.delete(entry.id);
        break;
    }
  }

  /** Starts to deliver what is in the queue and what is added later, until `signal` aborts. */
  start({ url, sign }: WebhookReceiver, onDelivered: (id: string) => void, signal: AbortSignal): void {
    this.#send = (id, payload) => {
      const request = () => post(url, payload, sign(id, payload, new Date()), signal);
      void untilAccepted(request, signal).then((accepted) => accepted && onDelivered(id));
    };
    for (const [id, payload] of this.#pending) this.#send(id, payload);
  }
}

/** Repeats a request until it succeeds. Returns false if `signal` aborts first. */
async function untilAccepted(request: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  for (let delayMs = 1000; !signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
    const accepted = await request();
    if (signal.aborted) return false;
    if (accepted) return true;
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

async function post(url: string, payload: string, signature: Record<string, string>, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body: payload,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false; // refused, reset or timed out: retried like any answer other than 2xx
  }
}
