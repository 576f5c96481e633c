import type { Database } from '../db/client.ts';
import { recordUses } from '../records/api-keys.ts';

/** ms between two writes. */
const INTERVAL = 60_000;

/** Remembers when keys are used, and writes it once a minute, in one statement for all of them. No request waits for it. */
export class KeyUses {
  readonly #db: Database;
  readonly #timer: NodeJS.Timeout;
  /** What is not written yet, by the hash of the secret. */
  #latest = new Map<string, Date>();

  constructor(db: Database) {
    this.#db = db;
    this.#timer = setInterval(() => void this.#write(), INTERVAL).unref();
  }

  /** @param hash of the secret that was used just now */
  note(hash: string): void {
    this.#latest.set(hash, new Date());
  }

  /** Writes the last ones. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    const latest = this.#latest;
    if (latest.size === 0) return;
    this.#latest = new Map();
    try {
      await recordUses(this.#db, latest);
    } catch {
      // Postgres is away: they are written the next time, unless the key was used again.
      this.#latest = new Map([...latest, ...this.#latest]);
    }
  }
}
