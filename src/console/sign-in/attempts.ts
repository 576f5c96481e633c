const WINDOW = 60_000;
const MOST = 10;
const CAPACITY = 10_000;

/** Limits failed sign-ins to ten per address and minute. Each process counts on its own. */
export class SignInAttempts {
  readonly #seen = new Map<string, { count: number; until: number }>();

  /** Counts an attempt. @returns whether it is allowed */
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

  /** Uncounts an attempt that succeeded. */
  giveBack(address: string): void {
    const known = this.#seen.get(address);
    if (known) known.count -= 1;
  }
}
