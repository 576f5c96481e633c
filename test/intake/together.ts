import { onTestFinished } from 'vitest';
import { connectDatabase, type Database } from '../../src/db/client.ts';

/** @returns a handle on the same database, like that of another process, until the end of the test */
export function useOtherProcess(db: Database): Database {
  const other = connectDatabase(db.$client.options.connectionString ?? '', { max: 5, name: 'other' });
  onTestFinished(() => other.close());
  return other.db;
}

/** @returns for each request `accepted`, or the type or the SQLSTATE of its error */
export async function outcomes(requests: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(requests);
  return settled.map((one) => (one.status === 'fulfilled' ? 'accepted' : describe(one.reason)));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('type' in error) return String(error.type);
  return 'code' in error ? String(error.code) : error.message;
}
