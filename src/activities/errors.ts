import { ApplicationFailure } from '@temporalio/common';
import { DrizzleQueryError } from 'drizzle-orm';
import { connectionTrouble } from '../contracts/connection-errors.ts';

/**
 * Gives any error a stable type and a message that may be stored and shown. The message of a failed query repeats its
 * parameters, including names and addresses, so only the error code of Postgres is kept.
 */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof DrizzleQueryError) {
    const code = error.cause && 'code' in error.cause ? String(error.cause.code) : 'unknown';
    return ApplicationFailure.create({ type: 'database_error', message: `The database query failed (${connectionTrouble(error) ?? code}).` });
  }
  if (error instanceof Error) return ApplicationFailure.create({ type: error.name, message: error.message });
  return ApplicationFailure.create({ type: 'unknown', message: String(error) });
}

/** @returns the error for a row that must exist but does not. Retryable: once the data is fixed, the order continues. */
export const notInDatabase = (what: string): ApplicationFailure =>
  ApplicationFailure.create({ type: 'not_found', message: `The ${what} is not in the database.` });
