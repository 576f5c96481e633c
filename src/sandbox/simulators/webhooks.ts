import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** Where a simulator sends its webhooks, and the secret that signs them. */
export type WebhookTarget = { url: string; secret: string };

/** Returns the signature headers of a webhook. */
export type Sign = (id: string, payload: string, at: Date) => Record<string, string>;

const queued = z.object({ type: z.literal('webhook.queued'), id: z.string(), payload: z.string() });
const delivered = z.object({ type: z.literal('webhook.delivered'), id: z.string() });

/** Ledger entries of the queue, so that it survives a restart. */
export const webhookEntrySchemas = [queued, delivered] as const;

/**
 * Delivers the queued webhooks of a ledger at least once. Retries each one after 1 s, 2 s, … up to 30 s until the receiver
 * answers 2xx. A slow receiver never delays the simulator.
 */
export class WebhookQueue {
  readonly #pending = new Map<string, string>();
  readonly #receiver: { url: string; sign: Sign } | undefined;
  #send: ((id: string, payload: string) => void) | undefined;

  /** @param receiver without one, webhooks stay in the queue until a start that has one */
  constructor(receiver: { url: string; sign: Sign } | undefined) {
    this.#receiver = receiver;
  }

  /** Applies a ledger entry to the queue. */
  apply(entry: { type: string }): void {
    if (isQueued(entry)) {
      this.#pending.set(entry.id, entry.payload);
      this.#send?.(entry.id, entry.payload);
    } else if (isDelivered(entry)) this.#pending.delete(entry.id);
  }

  /** Starts to deliver what is in the queue and what is added later, until `signal` aborts. */
  start(ledger: { append: (entry: z.infer<typeof delivered>) => void }, signal: AbortSignal): void {
    const receiver = this.#receiver;
    if (!receiver) return;
    this.#send = (id, payload) => {
      const request = () => post(receiver.url, payload, receiver.sign(id, payload, new Date()), signal);
      void untilTaken(request, signal).then((taken) => taken && ledger.append({ type: 'webhook.delivered', id }));
    };
    for (const [id, payload] of this.#pending) this.#send(id, payload);
  }
}

/** Repeats a request until it succeeds. Returns false if `signal` aborts first. */
async function untilTaken(request: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  for (let delayMs = 1000; !signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
    const taken = await request();
    if (signal.aborted) return false;
    if (taken) return true;
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

const isQueued = (entry: { type: string }): entry is z.infer<typeof queued> => entry.type === 'webhook.queued';
const isDelivered = (entry: { type: string }): entry is z.infer<typeof delivered> => entry.type === 'webhook.delivered';
