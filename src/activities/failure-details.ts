import { ApplicationFailure } from '@temporalio/common';
import { DrizzleQueryError } from 'drizzle-orm';

/**
 * Gives any error a stable type and a message that may be stored and shown. A failed query's own message repeats its
 * parameters, names and addresses among them: only what Postgres said of it is kept.
 */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof DrizzleQueryError) {
    const code = error.cause && 'code' in error.cause ? String(error.cause.code) : 'unknown';
    return ApplicationFailure.create({ type: 'database_error', message: `The database did not answer as asked (${code}).` });
  }
  if (error instanceof Error) return ApplicationFailure.create({ type: error.name, message: error.message });
  return ApplicationFailure.create({ type: 'unknown', message: String(error) });
}
