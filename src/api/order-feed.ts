import type { Sql } from 'postgres';
import { ORDERS_CHANNEL } from '../records/order-status.ts';
import type { Logger } from '../log.ts';

/** ms after which a waiter looks without a notification: one may be lost while Postgres restarts. */
const POLL = 5_000;

/** Wakes requests that wait for orders. One LISTEN serves the whole process. */
export class OrderFeed {
  readonly #waiting = new Map<string, Set<Subscription>>();
  #closed = false;

  /**
   * Starts to listen. Postgres may be away: the driver retries until it is back, and every waiter then looks again.
   * @param sql the driver; the feed takes one connection of its own
   */
  start(sql: Sql, log: Logger): void {
    sql
      .listen(
        ORDERS_CHANNEL,
        (orderId) => this.#wake(this.#waiting.get(orderId)),
        () => this.#wakeAll(),
      )
      .catch((error: unknown) => log.warn({ code: codeOf(error) }, 'not listening for orders yet'));
  }

  /**
   * Watches one order. Subscribe first, then read its row, so that no change is missed in between.
   * @param signal ends the subscription: the client has gone
   */
  subscribe(orderId: string, signal: AbortSignal): Subscription {
    const peers = this.#waiting.get(orderId) ?? new Set();
    this.#waiting.set(orderId, peers);
    const subscription = new Subscription(signal, () => {
      peers.delete(subscription);
      if (peers.size === 0) this.#waiting.delete(orderId);
    });
    peers.add(subscription);
    if (this.#closed) subscription.close();
    return subscription;
  }

  /** How many are waiting. */
  get size(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Releases all waiters, present and future. */
  close(): void {
    this.#closed = true;
    for (const subscriptions of this.#waiting.values()) for (const one of subscriptions) one.close();
  }

  #wake(subscriptions: Iterable<Subscription> = []): void {
    for (const subscription of subscriptions) subscription.wake();
  }

  #wakeAll(): void {
    for (const subscriptions of this.#waiting.values()) this.#wake(subscriptions);
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

  /** Whether waiting is over: the client has gone, or the process is stopping. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @returns once the order may have changed, the subscription is closed, or `limit` ms (at most 5 s) have passed. */
  async next(limit = POLL): Promise<void> {
    if (!this.#changed && !this.#closed) {
      const timer = setTimeout(() => this.#release(), Math.min(limit, POLL));
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

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : 'unknown');
