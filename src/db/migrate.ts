import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import { connectDatabase } from './client.ts';
import { DATABASE_LIMITS } from './limits.ts';

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));
const LOCK = 4_827_001;

/**
 * Applies the missing migrations. Safe to run several times at once: drizzle's own `migrate` takes no lock, so an
 * advisory lock lets one go first, and the others find nothing to do.
 * @param url a `postgres://` URL of a user who may create tables
 */
export async function migrate(url: string): Promise<void> {
  // One connection: an advisory lock belongs to the session that took it.
  const { db, close } = connectDatabase(url, { max: 1, name: 'holdfast-migrate', limits: DATABASE_LIMITS.migration });
  try {
    // Here, and only here, waiting as long as another one migrates is right.
    await db.execute(sql`set lock_timeout = 0`);
    await db.execute(sql`select pg_advisory_lock(${LOCK})`);
    await db.execute(sql`reset lock_timeout`);
    await applyMigrations(drizzle(db.$client), { migrationsFolder: MIGRATIONS });
  } finally {
    await close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = process.env['DATABASE_URL'];
  if (!url) {
    console.error('migrate: DATABASE_URL is not set');
    process.exit(1);
  }
  await migrate(url);
  console.log('The database is up to date.');
}
