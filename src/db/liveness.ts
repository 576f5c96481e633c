import { sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { SILENT_AFTER } from '../contracts/health.ts';

/**
 * @param time when a worker or a probe gave a sign of life
 * @param later ms that are added to the present time
 * @returns the condition that it still counts, by the clock of Postgres, which wrote the time
 */
export const isRecent = (time: SQL | AnyPgColumn, later = 0): SQL => sql`${time} > now() - ${SILENT_AFTER - later} * interval '1 ms'`;
