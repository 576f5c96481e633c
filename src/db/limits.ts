/**
 * How long one connection may occupy Postgres, in ms. A process may freeze, lose its network or wait for a lock; without
 * limits, what it holds would stay locked for everyone.
 */
export interface DatabaseLimits {
  /** For one statement, including the locks it waits for. */
  statement: number;
  /** For one lock. Postgres has no limit if this is 0. */
  lock: number;
  /** For a transaction between two statements: its process is frozen or gone. */
  idleInTransaction: number;
}

/** The limits of each process. */
export const DATABASE_LIMITS = {
  /** Someone is waiting for the answer, and "try again" is better than a long wait. */
  api: { statement: 5_000, lock: 3_000, idleInTransaction: 10_000 },
  /**
   * A statement ends before the attempt of a local activity does (10 s, see `contracts/retry-profiles.ts`): the next
   * attempt would wait for it.
   */
  worker: { statement: 9_000, lock: 5_000, idleInTransaction: 30_000 },
  /** `ops`, `doctor` and the preparation of the sandbox. A person waits, perhaps for a hundred thousand rows. */
  command: { statement: 30_000, lock: 5_000, idleInTransaction: 30_000 },
  /** Building an index may take long. Waiting for a lock may not: every other statement on the table waits behind it. */
  migration: { statement: 3_600_000, lock: 10_000, idleInTransaction: 60_000 },
} as const satisfies Record<string, DatabaseLimits>;
