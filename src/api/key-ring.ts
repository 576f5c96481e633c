import type { Caller } from '../contracts/caller.ts';
import type { Database } from '../db/client.ts';
import { handleTogether } from '../intake/group.ts';
import { findCallers } from '../queries/api-keys.ts';
import { hashToken } from '../records/tokens.ts';
import { KeyUses } from './key-uses.ts';
import { KeyWatch } from './key-watch.ts';

/** ms for which a key may still be accepted after it was revoked or has expired. */
const TTL = 5_000;
const CAPACITY = 10_000;

/** A key that was found. `hash` is that of its secret. */
interface Known {
  hash: string;
  caller: Caller;
  until: number;
}

/** Knows whose key a key is. Remembers it for a few seconds, so that not every request reads the database for it. */
export class KeyRing {
  /** By the key itself, so that a request with a known one needs no hash. */
  readonly #known = new Map<string, Known>();
  readonly #find: (hash: string) => Promise<Caller | undefined>;
  readonly #uses: KeyUses;
  readonly #watch: KeyWatch;

  constructor(db: Database) {
    this.#uses = new KeyUses(db);
    this.#watch = new KeyWatch((hashes) => findCallers(db, hashes));
    // Those that come at once share a statement, so that guesses cannot occupy all connections.
    this.#find = handleTogether(async (hashes: string[]) => {
      const callers = await findCallers(db, hashes);
      return hashes.map((hash) => callers.get(hash));
    });
  }

  /** @returns whose key it is, or undefined when it is unknown or revoked, or has expired */
  async identify(key: string): Promise<Caller | undefined> {
    const known = this.#recall(key) ?? (await this.#lookUp(key));
    if (known) this.#uses.note(known.hash);
    return known?.caller;
  }

  /**
   * Does something that takes long for the holder of a key.
   * @param work should end when its signal is aborted: about a second after the key was revoked or has expired
   */
  async whileInUse<Result>(key: string, work: (ended: AbortSignal) => Promise<Result>): Promise<Result> {
    return await this.#watch.during(hashToken(key), (ended) => {
      ended.addEventListener('abort', () => this.#known.delete(key), { once: true });
      return work(ended);
    });
  }

  /** Records the last uses of keys. */
  async close(): Promise<void> {
    this.#watch.close();
    await this.#uses.close();
  }

  #recall(key: string): Known | undefined {
    const known = this.#known.get(key);
    return known && known.until > performance.now() ? known : undefined;
  }

  async #lookUp(key: string): Promise<Known | undefined> {
    this.#known.delete(key);
    const hash = hashToken(key);
    const caller = await this.#find(hash);
    // Only known keys are remembered: guesses must not fill the memory.
    return caller && this.#remember(key, { hash, caller, until: performance.now() + TTL });
  }

  #remember(key: string, known: Known): Known {
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= CAPACITY) this.#known.delete(oldest);
    this.#known.set(key, known);
    return known;
  }
}
