import { sql } from 'drizzle-orm';
import { afterAll, expect, it } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { prepareDatabase } from '../../src/sandbox/prepare.ts';
import { startTestApi } from '../api/support/api.ts';
import { runCommand } from '../support/command.ts';
import { createTestDatabase } from '../support/database.ts';
import { useNamespace } from '../support/namespace.ts';
import { startWorker } from '../support/service-process.ts';

const database = await createTestDatabase();
const { db, close } = connectDatabase(database.url, { max: 1, name: 'test' });
afterAll(async () => {
  await close();
  await database.drop();
});
const temporal = await useNamespace();

/** Writes the settings of each new session of the database to the table `sessions`. */
const observeSessions = () =>
  db.execute(sql`
    create table sessions (name text, setting text, value interval);
    create function observe_session() returns event_trigger language plpgsql as $$
    begin
      insert into sessions select current_setting('application_name'), setting, current_setting(setting)::interval
      from unnest(array['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) as setting;
    end $$;
    create event trigger observe_session on login execute function observe_session()`);

it('limits every process in how long it occupies Postgres', { timeout: 180_000 }, async () => {
  await observeSessions();
  const environment = {
    DATABASE_URL: database.url,
    ...temporal.environment,
    SMTP_URL: 'smtp://127.0.0.1:1',
    STRIPE_SECRET_KEY: 'sk_test_unused',
    STRIPE_API_BASE: 'http://127.0.0.1:1',
    WAREHOUSE_URL: 'http://127.0.0.1:1',
    WAREHOUSE_API_KEY: 'unused',
  };
  await runCommand('src/db/migrate.ts', [], environment);
  await prepareDatabase(database.url, { customerKey: 'c', supportKey: 's', operatorKey: 'o' });
  await runCommand('src/cli/main.ts', ['failures', 'list'], environment);
  await runCommand('src/cli/main.ts', ['doctor'], environment);
  const worker = await startWorker(environment);
  await worker.stop();
  const api = await startTestApi({ database: { url: database.url, drop: () => Promise.resolve() } });
  await fetch(`${api.url}/readyz`);
  await api.close();

  const { rows } = await db.execute(sql`
    select name, bool_and(value > interval '0') as limited from sessions where name like 'holdfast-%' group by name`);
  const limits = new Map(rows.map(({ name, limited }) => [name, limited]));
  const processes = ['migrate', 'sandbox', 'ops', 'doctor', 'worker', 'worker-listener', 'api'];
  expect(limits).toEqual(new Map(processes.map((name) => [`holdfast-${name}`, true])));
});
