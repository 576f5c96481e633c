import { setTimeout as sleep } from 'node:timers/promises';
import { inArray, max } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { orderEvents } from '../db/schema.ts';

/** ms between two looks at the orders that somebody waits for. */
const INTERVAL = 100;
/** A look that takes long, because many are waiting, is followed by a pause this many times as long, but at most `LONGEST_PAUSE`. */
const PAUSE = 20;
const LONGEST_PAUSE = 1_000;
/** ms after which a waiter looks by itself, whatever the feed has seen. */
const LONGEST_WAIT = 5_000;

/** Those who wait for one order. */
interface Waiters {
  subscriptions: Set<Subscription>;
  /** The id of the last event that was seen. Undefined before the first look: it wakes everybody. */
  position: number | undefined;
}

/**
 * Wakes requests that wait for orders. It looks for new events of these orders, one statement for all of them. Most orders change
 * while nobody waits, so a notification for each change would cost more.
 */
export class OrderFeed {
  readonly #waiting = new Map<string, Waiters>();
  readonly #closing = new AbortController();
  #wakeLoop: () => void = () => {};

  /** Starts to look. While Postgres is away, waiters only look by themselves. */
  start(db: Pick<Database, 'select'>): void {
    void this.#watch(db);
  }

  /**
   * Watches one order. Subscribe first, then read its row, so that no change is missed in between.
   * @param signal ends the subscription, e.g. because the client has gone
   */
  subscribe(orderId: string, signal: AbortSignal): Subscription {
    const peers = this.#waiting.get(orderId) ?? { subscriptions: new Set(), position: undefined };
    this.#waiting.set(orderId, peers);
    const subscription = new Subscription(signal, () => {
      peers.subscriptions.delete(subscription);
      if (peers.subscriptions.size === 0) this.#waiting.delete(orderId);
    });
    peers.subscriptions.add(subscription);
    if (this.#closing.signal.aborted) subscription.close();
    this.#wakeLoop();
    return subscription;
  }

  /** How many are waiting. */
  get size(): number {
    return [...this.#waiting.values()].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
  }

  /** Releases all waiters, present and future. */
  close(): void {
    this.#closing.abort();
    this.#wakeLoop();
    for (const { subscriptions } of this.#waiting.values()) for (const one of subscriptions) one.close();
  }

  async #watch(db: Pick<Database, 'select'>): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (this.#waiting.size === 0) await this.#untilSomebodyWaits();
      const started = performance.now();
      await this.#look(db).catch(() => {});
      const pause = Math.min(Math.max(INTERVAL, PAUSE * (performance.now() - started)), LONGEST_PAUSE);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
  }

  #untilSomebodyWaits(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeLoop = resolve;
    });
  }

  async #look(db: Pick<Database, 'select'>): Promise<void> {
    const rows = await db
      .select({ orderId: orderEvents.orderId, position: max(orderEvents.id) })
      .from(orderEvents)
      .where(inArray(orderEvents.orderId, [...this.#waiting.keys()]))
      .groupBy(orderEvents.orderId);
    for (const { orderId, position } of rows) {
      const waiters = this.#waiting.get(orderId);
      if (!waiters || position === null || waiters.position === position) continue;
      waiters.position = position;
      for (const subscription of waiters.subscriptions) subscription.wake();
    }
  }
}

/** A waiter for one order. Remembers a change that comes between two waits. */
export class Subscription {
  #changed = false;
  #closed = false;
  #release: () => void = () => {};
  readonly #signal: AbortSignal;
  readonly #forget: () => void;

  constructor(signal: AbortSignal, forget: () => void) {
    this.#signal = signal;
    this.#forget = forget;
    signal.addEventListener('abort', this.close, { once: true });
    if (signal.aborted) this.#closed = true;
  }

  /** Whether waiting is over: its signal was aborted, or the process is stopping. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns once the order may have changed, the subscription is closed, or `limit` ms (at most 5 s) have passed. */
  async next(limit = LONGEST_WAIT): Promise<void> {
    if (!this.#changed && !this.#closed) {
      const timer = setTimeout(() => this.#release(), Math.min(limit, LONGEST_WAIT));
      await new Promise<void>((resolve) => {
        this.#release = resolve;
      });
      clearTimeout(timer);
    }
    this.#changed = false;
  }

  wake(): void {
    this.#changed = true;
    this.#release();
  }

  /** Always close a subscription, or it stays in memory. */
  close = (): void => {
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.close);
    this.#forget();
    this.#release();
  };
}
