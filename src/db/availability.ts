/** System error codes for a server that cannot be reached or was lost. */
const CONNECTION_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * SQLSTATEs that say "not now": connection exceptions, a transaction that was idle for too long, insufficient resources,
 * operator intervention (shutting down, starting up, statement cancelled by its time limit), lock not available, and
 * read-only (a standby after a failover).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQL_STATES = /^(08...|25P03|53...|57...|55P03|25006)$/;

/** What node-postgres says about a lost connection. It has no codes for it. */
const LOST =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout|Cannot use a pool after)/;

/** @returns whether an error means that Postgres cannot serve us now, as opposed to a wrong statement */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (LOST.test(current.message)) return true;
    if (!('code' in current)) continue;
    const { code } = current;
    if (CONNECTION_CODES.has(code) || (typeof code === 'string' && SQL_STATES.test(code))) return true;
  }
  return false;
}

/** SQLSTATEs of a transaction that Postgres ended because of another: deadlock, serialization failure. */
const LOST_RACES: ReadonlySet<unknown> = new Set(['40P01', '40001']);

/** @returns whether the same transaction can succeed if it runs again */
export const isLostRace = (error: unknown): boolean => hasCode(error, LOST_RACES);

/** @returns whether a prepared statement is of no use any more, because a migration has changed what it returns, or it is gone */
export const isStaleStatement = (error: unknown): boolean => hasCode(error, new Set(['0A000', '26000']));

/** @returns whether a statement failed because another transaction held a lock for too long */
export const isLockTimeout = (error: unknown): boolean => hasCode(error, new Set(['55P03']));

function hasCode(error: unknown, codes: ReadonlySet<unknown>): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && codes.has(current.code)) return true;
  }
  return false;
}
