const WINDOW = 60_000;
const MOST = 10;
const CAPACITY = 10_000;

/** Bounds how often an address may try to sign in and fail: ten times a minute. For one process. */
export class SignInAttempts {
  readonly #seen = new Map<string, { count: number; until: number }>();

  /** Counts an attempt. @returns whether it may be made */
  take(address: string): boolean {
    const now = performance.now();
    const known = this.#seen.get(address);
    if (known && known.until > now) {
      known.count += 1;
      return known.count <= MOST;
    }
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined && this.#seen.size >= CAPACITY) this.#seen.delete(oldest);
    this.#seen.delete(address);
    this.#seen.set(address, { count: 1, until: now + WINDOW });
    return true;
  }

  /** An attempt that was taken has succeeded: it does not count. */
  giveBack(address: string): void {
    const known = this.#seen.get(address);
    if (known) known.count -= 1;
  }
}
