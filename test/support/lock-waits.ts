import { sql } from 'drizzle-orm';
import type { Database } from '../../src/db/client.ts';

/** @returns how many connections of a database wait for a row that another one has changed or locked */
export async function waitingForRows(db: Pick<Database, 'execute'>): Promise<number> {
  const {
    rows: [row],
  } = await db.execute<{ count: number }>(sql`
    select count(distinct pid)::int as count from pg_locks join pg_stat_activity using (pid)
    where datname = current_database() and locktype in ('transactionid', 'tuple') and not granted`);
  return row?.count ?? 0;
}
