import { pino, type Logger } from 'pino';

export type { Logger };

/** Names of fields that may hold personal data or secrets. They are removed wherever they occur, up to three levels deep. */
const SENSITIVE = ['email', 'name', 'line1', 'city', 'postalCode', 'token', 'authorization', 'secret', 'password', 'key'];

/**
 * @param component which process or part writes, e.g. `api`
 * @param level a pino level
 * @returns a logger that writes JSON lines to standard output
 */
export function createLogger(component: string, level: string): Logger {
  return pino({
    level,
    base: { component },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SENSITIVE.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), remove: true },
  });
}
