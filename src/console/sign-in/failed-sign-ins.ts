const WINDOW = 60_000;
const MOST = 10;
const CAPACITY = 10_000;

/** Counts failed sign-ins. Each process counts on its own. */
export class FailedSignIns {
  readonly #seen = new Map<string, { count: number; until: number }>();

  /** Counts one. @returns whether there were more than ten from this address within a minute */
  add(address: string): boolean {
    const now = performance.now();
    const known = this.#seen.get(address);
    if (known && known.until > now) {
      known.count += 1;
      return known.count > MOST;
    }
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined && this.#seen.size >= CAPACITY) this.#seen.delete(oldest);
    this.#seen.delete(address);
    this.#seen.set(address, { count: 1, until: now + WINDOW });
    return false;
  }
}
