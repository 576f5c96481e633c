import { readFile } from 'node:fs/promises';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database } from '../../db/client.ts';
import { readBacklog } from '../../queries/backlog.ts';
import { check, CheckFailed, type Finding } from './check.ts';

const JOURNAL = new URL('../../db/migrations/meta/_journal.json', import.meta.url);
const journalSchema = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

const REACH = 'Start Postgres, or correct DATABASE_URL.';
const MIGRATE = 'Run `npm run migrate`.';

/** @returns whether Postgres answers, and has the schema of this code */
export async function examinePostgres(db: Database): Promise<Finding[]> {
  const reachable = await check(
    'Postgres',
    async () => {
      const { rows: [row] } = await db.execute<{ version: string }>(sql`select current_setting('server_version') as version`);
      return `version ${row?.version ?? 'unknown'}`;
    },
    REACH,
  );
  if (reachable.outcome !== 'ok') return [reachable];
  const migrated = await check('Migrations', () => compareMigrations(db), MIGRATE);
  // Without its migrations, a query says nothing useful.
  return migrated.outcome === 'ok' ? [reachable, migrated, await check('Commands', () => examineCommands(db), REACH)] : [reachable, migrated];
}

async function examineCommands(db: Database): Promise<string> {
  const { overdue, overdueSince, backingOff, setAside } = await readBacklog(db);
  if (overdue > 0) {
    throw new CheckFailed(
      `${overdue} not delivered, the oldest due since ${overdueSince?.toISOString()}`,
      'Start a worker for the queue `orders`. If one is running, its log says why its "commands wait", or it is busy with the orders before them.',
    );
  }
  if (setAside > 0) {
    throw new CheckFailed(`${setAside} set aside`, 'Fix what their failures name, then run `npm run ops -- failures requeue <id>`.');
  }
  return backingOff === 0 ? 'all delivered' : `${backingOff} waiting for their runs`;
}

/** drizzle knows a migration by its time in the journal. */
async function compareMigrations(db: Database): Promise<string> {
  const { entries } = journalSchema.parse(JSON.parse(await readFile(JOURNAL, 'utf8')));
  const applied = new Set(await appliedMigrations(db));
  const missing = entries.filter(({ when }) => !applied.has(when)).map(({ tag }) => tag);
  if (missing.length > 0) throw new CheckFailed(`not applied: ${missing.join(', ')}`, MIGRATE);
  const foreign = applied.size - entries.length;
  if (foreign > 0) throw new CheckFailed(`${foreign} newer than this code`, 'Deploy the code version that matches this database.');
  return `all ${entries.length} applied`;
}

async function appliedMigrations(db: Database): Promise<number[]> {
  const { rows: [found] } = await db.execute<{ there: boolean }>(
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as there`,
  );
  if (!found?.there) return [];
  const { rows } = await db.execute<{ at: string }>(sql`select created_at::text as at from drizzle.__drizzle_migrations`);
  return rows.map(({ at }) => Number(at));
}

/** @returns how far, in ms, Postgres's clock is ahead of ours */
export async function postgresClock(db: Database): Promise<number> {
  const sent = Date.now();
  const { rows: [row] } = await db.execute<{ now: number }>(sql`select extract(epoch from clock_timestamp())::float8 * 1000 as now`);
  return (row?.now ?? NaN) - (sent + Date.now()) / 2;
}
