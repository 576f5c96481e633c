import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { examine } from '../../src/cli/doctor/examine.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { startInbox, type Inbox } from '../../src/sandbox/simulators/inbox.ts';
import { startPaymentSimulator, type PaymentSimulator } from '../../src/sandbox/simulators/payments.ts';
import { startWarehouseSimulator, type WarehouseSimulator } from '../../src/sandbox/simulators/warehouse.ts';
import { runCommand } from '../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

const SECRETS = { STRIPE_SECRET_KEY: 'sk_test_doctor_secret', WAREHOUSE_API_KEY: 'warehouse_secret' };

let folder: string;
let database: TestDatabase;
let namespace: TestNamespace;
let inbox: Inbox;
let payments: PaymentSimulator;
let warehouse: WarehouseSimulator;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'));
  [database, namespace, inbox, payments, warehouse] = await Promise.all([
    createTestDatabase(),
    createNamespace(),
    startInbox({ smtpPort: 0, httpPort: 0, file: join(folder, 'inbox.jsonl') }),
    startPaymentSimulator({ port: 0, ledgerFile: join(folder, 'payments.jsonl'), secretKey: SECRETS.STRIPE_SECRET_KEY }),
    startWarehouseSimulator({ port: 0, ledgerFile: join(folder, 'warehouse.jsonl'), apiKey: SECRETS.WAREHOUSE_API_KEY }),
  ]);
  environment = {
    DATABASE_URL: database.url,
    ...namespace.environment,
    SMTP_URL: inbox.smtpUrl,
    STRIPE_API_BASE: payments.url,
    WAREHOUSE_URL: warehouse.url,
    ...SECRETS,
  };
});
afterAll(async () => {
  await Promise.all([inbox.close(), payments.close(), warehouse.close(), namespace.close(), database.drop()]);
  await rm(folder, { recursive: true, force: true });
});

/** @returns the checks that do not pass with these variables, by name */
async function complaints(changes: Record<string, string> = {}): Promise<Record<string, string>> {
  const { findings } = await examine({ ...environment, ...changes });
  const unwell = findings.filter(({ outcome }) => outcome === 'failed');
  for (const { fix } of unwell) expect(fix).toEqual(expect.any(String));
  return Object.fromEntries(unwell.map(({ name, detail }) => [name, detail]));
}

const NOT_STARTED = {
  'Workers of holdfast-orders': 'no workers polling',
  'Workers of holdfast-email': 'no workers polling',
  'Workers of holdfast-operations': 'no workers polling',
  Schedules: expect.stringContaining('weekly-report: missing'),
};

describe('the doctor', () => {
  it('finds that no worker has been started yet, and that everything else is ok', async () => {
    expect(await complaints()).toEqual(NOT_STARTED);
  });

  it('finds each part that is unavailable', async () => {
    expect(
      await complaints({
        DATABASE_URL: 'postgres://ada:hunter2@127.0.0.1:1/holdfast',
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        SMTP_URL: 'smtp://127.0.0.1:1',
        STRIPE_API_BASE: 'http://127.0.0.1:1',
        WAREHOUSE_URL: 'http://127.0.0.1:1',
      }),
    ).toEqual({
      Postgres: expect.stringContaining('ECONNREFUSED'),
      Temporal: expect.any(String),
      'Mail server': expect.stringContaining('does not take the connection'),
      'Payment provider': expect.any(String),
      Warehouse: expect.any(String),
    });
  });

  it('finds keys that are refused, and a namespace that does not exist', async () => {
    expect(
      await complaints({ STRIPE_SECRET_KEY: 'sk_test_wrong', WAREHOUSE_API_KEY: 'wrong', TEMPORAL_NAMESPACE: 'nowhere' }),
    ).toEqual({
      'Payment provider': 'it refuses the key (401)',
      Warehouse: 'it refuses the key (401)',
      'Namespace nowhere': 'it does not exist',
    });
  });

  it('finds a migration that was not applied, and one that is unknown to this version', async () => {
    const behind = await createTestDatabase();
    const { db, close } = connectDatabase(behind.url, { max: 1, name: 'test' });
    try {
      await db.execute(sql`update drizzle.__drizzle_migrations set created_at = 1 where id = 1`);
      expect(await complaints({ DATABASE_URL: behind.url })).toMatchObject({ Migrations: 'not applied: 0000_initial' });
      await db.execute(sql`drop schema drizzle cascade`);
      expect(await complaints({ DATABASE_URL: behind.url })).toMatchObject({
        Migrations: expect.stringContaining('not applied: 0000_initial, 0001_'),
      });
    } finally {
      await close();
      await behind.drop();
    }
  });

  it('reports what it could not check, without counting it as a failure', async () => {
    const { SMTP_URL: _mail, WAREHOUSE_API_KEY: _key, ...rest } = environment;
    const { findings } = await examine(rest);
    expect(findings.filter(({ outcome }) => outcome === 'unknown')).toEqual([
      { name: 'Mail server', outcome: 'unknown', detail: 'SMTP_URL is not set here', fix: null },
      { name: 'Warehouse', outcome: 'unknown', detail: 'WAREHOUSE_API_KEY is not set here', fix: null },
    ]);
  });

  it('names the missing environment variables', async () => {
    const { ok, findings } = await examine({});
    expect(ok).toBe(false);
    expect(findings).toContainEqual(expect.objectContaining({ name: 'Environment', detail: expect.stringContaining('DATABASE_URL') }));
  });
});

const doctor = (...args: string[]) => runCommand('src/cli/main.ts', ['doctor', ...args], environment);

describe('ops doctor', () => {
  it('exits with 4 when a check fails and with 0 otherwise, and never prints a secret', async () => {
    const before = await doctor();
    expect(before.code).toBe(4);
    expect(before.stdout).toContain('✘ Workers of holdfast-orders: no workers polling\n    Start a worker for it');

    for (const definition of scheduleDefinitions('Europe/Berlin')) await upsertSchedule(namespace.client, definition);
    const workers = await Promise.all(
      Object.values(TASK_QUEUES).map((taskQueue) =>
        Worker.create({
          connection: namespace.connection,
          namespace: namespace.name,
          taskQueue,
          workflowBundle: { codePath: inject('workflowBundlePath') },
          activities: { unused: () => Promise.resolve() },
        }),
      ),
    );
    const running = Promise.all(workers.map((worker) => worker.run()));
    try {
      await expect.poll(() => complaints(), { timeout: 20_000 }).toEqual({});
      const after = await doctor('--json');
      expect(JSON.parse(after.stdout)).toMatchObject({ ok: true, findings: expect.any(Array) });
      expect(after.code).toBe(0);
      const said = before.stdout + before.stderr + after.stdout + after.stderr;
      for (const secret of [...Object.values(SECRETS), new URL(database.url).password]) expect(said).not.toContain(secret);
    } finally {
      for (const worker of workers) worker.shutdown();
      await running;
    }
  });
});
