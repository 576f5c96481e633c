import { eq, sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { commands } from '../../src/db/schema.ts';
import { examine } from '../../src/cli/doctor/examine.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { useReceiver } from '../alerts/support/receiver.ts';
import { runCommand, TIME_FOR_COMMANDS } from '../support/command.ts';
import { createTestDatabase } from '../support/database.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

vi.setConfig({ testTimeout: TIME_FOR_COMMANDS });

const shop = await useShop();
const namespace = await useNamespace();
const receiver = await useReceiver();
const environment = { ...shop.environment, ...namespace.environment };

/** @returns the checks that do not pass with these variables, by name */
async function complaints(changes: Record<string, string> = {}): Promise<Record<string, string>> {
  const { findings } = await examine({ ...environment, ...changes });
  const failed = findings.filter(({ outcome }) => outcome === 'failed');
  for (const { fix } of failed) expect(fix).toEqual(expect.any(String));
  return Object.fromEntries(failed.map(({ name, detail }) => [name, detail]));
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
      'Mail server': expect.stringContaining('connection refused'),
      'Payment provider': expect.any(String),
      Warehouse: expect.any(String),
    });
  });

  it('finds keys that are refused, and a namespace that does not exist', async () => {
    expect(
      await complaints({ STRIPE_SECRET_KEY: 'sk_test_wrong', WAREHOUSE_API_KEY: 'wrong', TEMPORAL_NAMESPACE: 'nowhere' }),
    ).toEqual({
      'Payment provider': 'HTTP 401: our key is refused',
      Warehouse: 'HTTP 401: our key is refused',
      'Namespace nowhere': 'it does not exist',
    });
  });

  it('finds that a receiver of alerts cannot be reached, and sends it nothing', async () => {
    const closed = 'http://127.0.0.1:1/hooks/only-they-know';
    const secret = { ALERT_WEBHOOK_SECRET: `whsec_${Buffer.from('a secret').toString('base64')}` };
    expect(await complaints({ ...secret, ALERT_WEBHOOK_URL: receiver.url, ALERT_SLACK_URL: closed })).toEqual({
      ...NOT_STARTED,
      'Alerts by Slack': 'connection refused',
    });
    const withoutTls = receiver.url.replace('http:', 'https:');
    expect(await complaints({ ...secret, ALERT_WEBHOOK_URL: withoutTls })).toEqual({ ...NOT_STARTED, 'Alerts by webhook': 'TLS failed' });
    expect(receiver.received).toEqual([]);
  });

  it('finds commands that nobody delivers, and those that were set aside', async () => {
    const { orderId } = await shop.placeOrder();
    const ofOrder = eq(commands.workflowId, orderWorkflowId(orderId));
    expect(await complaints()).toEqual(NOT_STARTED);
    const dueSince = new Date('2026-11-24T19:41:00.000Z');
    await shop.db.update(commands).set({ nextAttemptAt: dueSince }).where(ofOrder);
    expect(await complaints()).toMatchObject({ Commands: `1 not delivered, the oldest due since ${dueSince.toISOString()}` });
    await shop.db.update(commands).set({ state: 'set_aside' }).where(ofOrder);
    expect(await complaints()).toMatchObject({ Commands: '1 set aside' });
    await shop.db.update(commands).set({ state: 'discarded' }).where(ofOrder);
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
    const stopWorkers = await startWorkers(shop, namespace);
    try {
      await expect.poll(() => complaints(), { timeout: 60_000 }).toEqual({});
      const otherKey = `other:${Buffer.alloc(32).toString('base64')}`;
      expect(await complaints({ PAYLOAD_KEYS: otherKey })).toEqual({ Schedules: expect.stringContaining('the key "test"') });
      const after = await doctor('--json');
      expect(JSON.parse(after.stdout)).toMatchObject({ ok: true, findings: expect.any(Array) });
      expect(after.code).toBe(0);
      const said = before.stdout + before.stderr + after.stdout + after.stderr;
      const { STRIPE_SECRET_KEY, WAREHOUSE_API_KEY, DATABASE_URL, PAYLOAD_KEYS } = environment;
      const secrets = [STRIPE_SECRET_KEY, WAREHOUSE_API_KEY, new URL(DATABASE_URL).password, PAYLOAD_KEYS.replace('test:', '')];
      for (const secret of secrets) {
        expect(secret).not.toBe('');
        expect(said).not.toContain(secret);
      }
    } finally {
      await stopWorkers();
    }
  });
});
