import { setTimeout as sleep } from 'node:timers/promises';

/** ms between two looks at the keys that are watched. */
const INTERVAL = 1_000;

/** Ends what takes long, such as a stream, soon after its key is revoked or has expired. One look is at the keys of all of them. */
export class KeyWatch {
  readonly #findInUse: (hashes: string[]) => Promise<{ has(hash: string): boolean }>;
  /** By the hash of the secret. */
  readonly #watched = new Map<string, Set<AbortController>>();
  readonly #closing = new AbortController();

  /** @param findInUse finds which of some secrets are in use, by their hashes */
  constructor(findInUse: (hashes: string[]) => Promise<{ has(hash: string): boolean }>) {
    this.#findInUse = findInUse;
    void this.#watch();
  }

  /**
   * @param hash of the secret that `work` goes on for
   * @param work should end when its signal is aborted
   */
  async during<Result>(hash: string, work: (ended: AbortSignal) => Promise<Result>): Promise<Result> {
    const ended = new AbortController();
    const peers = this.#watched.get(hash) ?? new Set<AbortController>();
    this.#watched.set(hash, peers.add(ended));
    try {
      return await work(ended.signal);
    } finally {
      peers.delete(ended);
      if (peers.size === 0) this.#watched.delete(hash);
    }
  }

  /** Stops to look. */
  close(): void {
    this.#closing.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // While Postgres is away, nobody knows. The next look will.
      await this.#look().catch(() => {});
      await sleep(INTERVAL, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const hashes = [...this.#watched.keys()];
    if (hashes.length === 0) return;
    const inUse = await this.#findInUse(hashes);
    for (const hash of hashes) {
      if (!inUse.has(hash)) for (const ended of this.#watched.get(hash) ?? []) ended.abort();
    }
  }
}
