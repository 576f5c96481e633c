import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** Where a simulator sends its webhooks, and the secret it signs them with. */
export type WebhookTarget = { url: string; secret: string };

const queued = z.object({ type: z.literal('webhook.queued'), id: z.string(), payload: z.string() });
const delivered = z.object({ type: z.literal('webhook.delivered'), id: z.string() });

/** Ledger entries of the queue: they make it survive a restart. */
export const webhookEntrySchemas = [queued, delivered] as const;
export type WebhookEntry = z.infer<typeof queued> | z.infer<typeof delivered>;

type Sign = (id: string, payload: string, at: Date) => Record<string, string>;

/**
 * Delivers the queued webhooks of a ledger at least once, each on its own: again after 1 s, 2 s, … up to 30 s until the
 * receiver answers 2xx. A slow receiver never delays an answer of the simulator.
 */
export class WebhookQueue {
  readonly #pending = new Map<string, string>();
  readonly #url: string | undefined;
  readonly #sign: Sign;
  readonly #closed = new AbortController();
  #onDelivered: ((id: string) => void) | undefined;

  /** @param url where to deliver; without one, what is queued waits for a start that has one */
  constructor(url: string | undefined, sign: Sign) {
    this.#url = url;
    this.#sign = sign;
  }

  /** Folds a ledger entry into the queue. */
  apply(entry: { type: string } | WebhookEntry): void {
    if (isQueued(entry)) {
      this.#pending.set(entry.id, entry.payload);
      if (this.#onDelivered) void this.#deliver(entry.id, entry.payload);
    } else if (isDelivered(entry)) this.#pending.delete(entry.id);
  }

  /** Starts delivering what is pending and what comes; `onDelivered` is to record the fact in the ledger. */
  start(onDelivered: (id: string) => void): void {
    this.#onDelivered = onDelivered;
    for (const [id, payload] of this.#pending) void this.#deliver(id, payload);
  }

  close(): void {
    this.#closed.abort();
  }

  async #deliver(id: string, payload: string): Promise<void> {
    const { signal } = this.#closed;
    for (let delayMs = 1000; !signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
      const taken = await this.#send(id, payload);
      if (signal.aborted) return;
      if (taken) return this.#onDelivered?.(id);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #send(id: string, payload: string): Promise<boolean> {
    if (this.#url === undefined) return false;
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.#sign(id, payload, new Date()) },
        body: payload,
        redirect: 'manual',
        signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(10_000)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false; // refused, reset or timed out: asked again like any answer but 2xx
    }
  }
}

const isQueued = (entry: { type: string }): entry is z.infer<typeof queued> => entry.type === 'webhook.queued';
const isDelivered = (entry: { type: string }): entry is z.infer<typeof delivered> => entry.type === 'webhook.delivered';
