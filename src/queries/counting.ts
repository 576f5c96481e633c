import { sql, type SQLWrapper } from 'drizzle-orm';
import type { Database } from '../db/client.ts';

/**
 * How many rows a page counts. A list that is open is read again every few seconds, and nobody needs to know how many more there
 * are: who acts on all that match sees the exact number in the dry run.
 */
export const MOST_COUNTED = 1_000;

/** @param rows a query with a limit @returns how many rows it has */
export const countRows = (db: Pick<Database, '$count'>, rows: SQLWrapper): Promise<number> => db.$count(sql`(${rows}) as counted`);
