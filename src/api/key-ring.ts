import type { Database } from '../db/client.ts';
import type { Caller } from '../contracts/caller.ts';
import { findApiKey } from '../queries/api-keys.ts';

/** ms for which a revoked key may still be accepted. */
const TTL = 5_000;
const CAPACITY = 10_000;

/** Knows whose key a key is. Remembers it for a few seconds, so that not every request reads the database for it. */
export class KeyRing {
  readonly #db: Database;
  readonly #known = new Map<string, { caller: Caller; until: number }>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns whose key it is, or undefined when it is unknown or revoked */
  async identify(key: string): Promise<Caller | undefined> {
    const known = this.#known.get(key);
    if (known && known.until > performance.now()) return known.caller;
    this.#known.delete(key);
    const found = await findApiKey(this.#db, key);
    // Only known keys are remembered: guesses must not fill the memory.
    return found && this.#remember(key, found);
  }

  #remember(key: string, caller: Caller): Caller {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= CAPACITY) this.#known.delete(oldest);
    this.#known.set(key, { caller, until: performance.now() + TTL });
    return caller;
  }
}
