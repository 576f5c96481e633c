import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { actorOf } from '../../src/contracts/caller.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { attemptEvents, commands, failureEvents, operatorActions, orders, bulkActionItems, sagaSteps, serviceProbes, weeklyReports, workers } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { runBulkActionBatch } from '../../src/operate/bulk-actions.ts';
import { cancelFailure } from '../../src/operate/failures.ts';
import { openFailure } from '../../src/records/failures.ts';
import { acceptOrder } from '../../src/intake/orders.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { runCommand, TIME_FOR_COMMANDS } from '../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openFailureOf } from '../support/failures.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';

vi.setConfig({ testTimeout: TIME_FOR_COMMANDS });

let database: TestDatabase;
let handle: DatabaseHandle;
let namespace: TestNamespace;
let keyId: string;
beforeAll(async () => {
  [database, namespace] = await Promise.all([createTestDatabase(), createNamespace()]);
  handle = connectDatabase(database.url, { max: 5, name: 'test' });
  ({ id: keyId } = await insertApiKey(handle.db, { name: 'test', role: 'operator' }));
});
afterAll(async () => {
  await handle.close();
  await Promise.all([namespace.close(), database.drop()]);
});

/** Runs `npm run ops -- …`. */
const ops = (...args: string[]) => opsWith({}, ...args);

/** Runs it with other variables. */
const opsWith = (variables: Record<string, string>, ...args: string[]) =>
  runCommand('src/cli/main.ts', args, { DATABASE_URL: database.url, ...namespace.environment, ...variables });

/** Runs it with `--json`. @returns its exit code and what it printed, read as JSON */
async function opsJson(...args: string[]): Promise<{ code: number | null; printed: unknown }> {
  const { code, stdout, stderr } = await ops(...args, '--json');
  return { code, printed: JSON.parse(code === 0 ? stdout : stderr) };
}

/** Runs it again until Temporal has answered: on a busy machine, that may take longer than a person would wait. */
const answered = (...args: string[]) =>
  vi.waitFor(
    async () => {
      const result = await opsJson(...args);
      expect(result.printed).toMatchObject({ temporal: 'ok' });
      return result;
    },
    { timeout: 120_000 },
  );

let requests = 0;
async function placeOrder(): Promise<string> {
  const { made } = await acceptOrder(handle.db, { keyId, role: 'operator' }, {
    idempotencyKey: `cli-${(requests += 1)}`,
    requestHash: 'cli',
    order: {
      customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
      shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
      items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
      payment: { method: 'pm_card_visa' },
    },
  });
  return made.id;
}

async function park(errorType = 'warehouse_unavailable', kind: 'step' | 'compensation' | 'run' = 'step') {
  const orderId = await placeOrder();
  const { failureId } = await transaction(handle.db, (tx) =>
    openFailure(tx, {
      kind,
      workflowId: orderWorkflowId(orderId),
      runId: 'run-1',
      orderId,
      generation: 1,
      step: 'ship',
      errorType,
      errorMessage: 'HTTP 503 \u001B[31m',
      attempts: 4,
    }),
  );
  return { orderId, failureId };
}

const eventsOf = (failureId: string) =>
  handle.db.select().from(failureEvents).where(eq(failureEvents.failureId, failureId)).orderBy(failureEvents.id);

async function lastCommand(orderId: string): Promise<unknown> {
  const sent = await handle.db.select().from(commands).where(eq(commands.workflowId, orderWorkflowId(orderId))).orderBy(commands.id);
  return sent.at(-1)?.body;
}

const actionsOn = (target: string) => handle.db.select().from(operatorActions).where(eq(operatorActions.target, target));
const NOBODY = '0197d0a0-0000-7000-8000-000000000000';

describe('ops failures', () => {
  it('lists what the filter selects, page by page, in the shape of the API', async () => {
    const older = await park('listed_here');
    const newer = await park('listed_here');
    const first = await opsJson('failures', 'list', '--error-type', 'listed_here', '--status', 'open', '--limit', '1');
    expect(first).toMatchObject({
      code: 0,
      printed: {
        data: [{ id: newer.failureId, error: { type: 'listed_here' }, attempts: 4, closedAt: null }],
        counts: [{ kind: 'step', step: 'ship', errorType: 'listed_here', count: 2 }],
      },
    });
    const cursor = String(Object(first.printed).nextCursor);
    const second = await opsJson('failures', 'list', '--error-type', 'listed_here', '--cursor', cursor);
    expect(second.printed).toMatchObject({ data: [{ id: older.failureId }], nextCursor: null });
  });

  it('prints a table without colours in a pipe, and no control characters', async () => {
    const { orderId, failureId } = await park();
    const list = await ops('failures', 'list', '--order', orderId);
    expect(list.stdout).toMatch(/^ID +STATUS +KIND/);
    expect(list.stdout).toContain(failureId);
    const { stdout } = await ops('failures', 'show', failureId);
    expect(stdout).toContain('warehouse_unavailable: HTTP 503');
    // eslint-disable-next-line no-control-regex
    expect(list.stdout + stdout).not.toMatch(/\u001B/);
  });

  it('retries one with a corrected address, and records the actor and the reason', async () => {
    const { orderId, failureId } = await park();
    const address = ['--line1', '221B Baker Street', '--city', 'London', '--postal-code', 'NW1 6XE', '--country', 'GB'];
    const { code } = await opsJson('failures', 'retry', failureId, '--reason', 'moved', '--actor', 'cli:ada', ...address, '--yes');
    expect(code).toBe(0);
    expect((await eventsOf(failureId)).at(-1)).toMatchObject({
      type: 'retry_requested',
      actor: 'cli:ada',
      reason: 'moved (with a corrected address)',
    });
    expect(await lastCommand(orderId)).toMatchObject({ message: { failureId, action: 'retry', actor: 'cli:ada' } });
    const [order] = await handle.db.select().from(orders).where(eq(orders.id, orderId));
    expect(order).toMatchObject({ line1: '221B Baker Street' });
  });

  it('exits with 2 for an address that the API would refuse, and for one address for many', async () => {
    const [one, other] = [await park(), await park()];
    const address = ['--line1', '1 Road', '--city', 'X', '--postal-code', '1', '--reason', 'moved', '--yes'];
    const attempts = await Promise.all([
      ops('failures', 'retry', one.failureId, ...address),
      ops('failures', 'retry', one.failureId, ...address, '--country', 'ZZ'),
      ops('failures', 'retry', one.failureId, other.failureId, ...address, '--country', 'GB'),
    ]);
    expect(attempts.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(attempts[1]?.stderr).toContain('ISO 3166-1');
    expect(await eventsOf(one.failureId)).toHaveLength(1);
  });

  it('records the user of the machine as the default actor', async () => {
    const { failureId } = await park();
    await ops('failures', 'cancel', failureId, '--reason', 'customer called', '--yes');
    expect((await eventsOf(failureId)).at(-1)).toMatchObject({ type: 'cancel_requested', actor: expect.stringMatching(/^cli:./) });
  });

  it('settles a compensation, and resets a run to before an event', async () => {
    const compensation = await park('warehouse_unavailable', 'compensation');
    const run = await park('TypeError', 'run');
    const [settled, reset] = await Promise.all([
      ops('failures', 'settle', compensation.failureId, '--reason', 'called the warehouse', '--yes'),
      ops('failures', 'reset', run.failureId, '--reason', 'fixed', '--event', '7', '--yes'),
    ]);
    expect([settled.code, reset.code]).toEqual([0, 0]);
    expect((await eventsOf(compensation.failureId)).at(-1)).toMatchObject({ type: 'settlement_requested' });
    expect(await lastCommand(run.orderId)).toMatchObject({ type: 'reset_run', eventId: 7 });
  });

  it('does nothing and exits with 2 without a reason, without a terminal to confirm at, or with a wrong flag', async () => {
    const { failureId } = await park();
    const attempts = await Promise.all([
      ops('failures', 'retry', failureId, '--yes'),
      ops('failures', 'retry', failureId, '--reason', 'it is back'),
      ops('failures', 'retry', '--reason', 'it is back', '--yes'),
      ops('failures', 'list', '--kind', 'nonsense'),
      ops('failures', 'show', 'no-id'),
    ]);
    expect(attempts.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(attempts[1]?.stderr).toContain('--yes');
    expect(await eventsOf(failureId)).toHaveLength(1);
  });

  it('exits with 3 for what does not exist, and for what is refused', async () => {
    const { failureId } = await park('warehouse_unavailable', 'compensation');
    expect(await opsJson('failures', 'show', NOBODY)).toMatchObject({ code: 3, printed: { error: { type: 'not_found' } } });
    expect(await opsJson('failures', 'retry', failureId, '--reason', 'x', '--yes')).toMatchObject({
      code: 3,
      printed: { error: { type: 'failure_not_open' } },
    });
  });
});

describe('a bulk action', () => {
  it('shows in a dry run what it would do, and does nothing', async () => {
    const { failureId } = await park('dry');
    await park('dry');
    expect(await opsJson('failures', 'retry', '--all-matching', '--error-type', 'dry', '--dry-run')).toMatchObject({
      code: 0,
      printed: { matching: 2, accepted: 2, refused: [], sums: [{ currency: 'EUR' }] },
    });
    expect(await eventsOf(failureId)).toHaveLength(1);
  });

  it('is started for several, paused, resumed, cancelled and watched to its end', async () => {
    const parked = [await park('bulk'), await park('bulk')];
    const ids = parked.map(({ failureId }) => failureId);
    const started = await opsJson('failures', 'retry', ...ids, '--reason', 'it is back', '--yes');
    expect(started).toMatchObject({ code: 0, printed: { action: 'retry', ids: 2, progress: { pending: 2 } } });
    const id = String(Object(started.printed).id);
    expect(await handle.db.select().from(bulkActionItems).where(eq(bulkActionItems.bulkActionId, id))).toHaveLength(2);

    for (const verb of ['pause', 'resume', 'cancel']) {
      expect((await ops('bulk-actions', verb, id, '--reason', verb, '--yes')).code).toBe(0);
    }
    expect((await actionsOn(id)).map(({ action }) => action)).toEqual([
      'bulk_retry',
      'pause_bulk_action',
      'resume_bulk_action',
      'cancel_bulk_action',
    ]);
    const [watched, shown, listed, late] = await Promise.all([
      ops('bulk-actions', 'watch', id),
      opsJson('bulk-actions', 'show', id),
      opsJson('bulk-actions', 'list'),
      opsJson('bulk-actions', 'pause', id, '--reason', 'x', '--yes'),
    ]);
    expect(watched).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cancelled: 2 of 2 processed; 2 skipped/) });
    expect(shown.printed).toMatchObject({ id, state: 'cancelled', ids: 2, items: [{ outcome: 'skipped' }, { outcome: 'skipped' }] });
    expect(listed.printed).toMatchObject({ data: expect.arrayContaining([expect.objectContaining({ id })]) });
    expect(late).toMatchObject({ code: 3, printed: { error: { type: 'bulk_action_not_running' } } });
  });

  it('says what happened, and how to retry exactly what failed again', async () => {
    const parked = [await park('again'), await park('again')];
    const ids = parked.map(({ failureId }) => failureId);
    const started = await opsJson('failures', 'retry', ...ids, '--reason', 'it is back', '--yes');
    const id = String(Object(started.printed).id);
    await runBulkActionBatch(handle.db, id, 5, () => {});
    await openFailureOf(handle.db, { orderId: parked[0]?.orderId ?? '', generation: 1 }, { errorType: 'again' });
    const { stdout } = await ops('bulk-actions', 'show', id);
    expect(stdout).toMatch(/failed again +1\n/);
    const [, next = ''] = /Retry this one: npm run ops -- (.+ --dry-run)\n/.exec(stdout) ?? [];
    expect(await opsJson(...next.split(' '))).toMatchObject({
      code: 0,
      printed: { matching: 1, accepted: 1, sample: [{ failureId: ids[0] }] },
    });
  });

  it('restarts failed orders, and refuses when nothing matches', async () => {
    const orderId = await placeOrder();
    await handle.db.update(orders).set({ status: 'failed', failureType: 'card_declined' }).where(eq(orders.id, orderId));
    const filter = ['bulk-actions', 'start', '--action', 'restart', '--all-matching', '--error-type', 'card_declined'];
    const started = await opsJson(...filter, '--reason', 'new card', '--yes');
    expect(started).toMatchObject({ code: 0, printed: { action: 'restart', progress: { pending: 1 } } });
    expect((await ops('bulk-actions', 'start', '--action', 'retry', NOBODY, '--reason', 'x', '--yes')).code).toBe(3);
  });
});

describe('ops find', () => {
  it('finds an order by the number that emails show, and says when nothing is found', async () => {
    const orderId = await placeOrder();
    const [found, none] = await Promise.all([opsJson('find', orderId.slice(-8)), ops('find', 'ffffffff')]);
    expect(found).toMatchObject({ code: 0, printed: [{ kind: 'order', id: orderId, about: 'ada@example.com' }] });
    expect(none).toMatchObject({ code: 0, stdout: 'Nothing found.\n' });
  });

  it('is what a command suggests that was given a short number', async () => {
    const { code, stderr } = await ops('orders', 'show', '4e1f90ab');
    expect(code).toBe(2);
    expect(stderr).toBe('ops: "4e1f90ab" is not a full id. If it is of an order, look it up: npm run ops -- find 4e1f90ab\n');
  });
});

describe('ops orders', () => {
  it('shows the story of an order, and why it waits', async () => {
    const { orderId } = await park();
    const { code, printed } = await answered('orders', 'show', orderId);
    expect(code).toBe(0);
    expect(printed).toMatchObject({ order: { id: orderId }, failures: [{ step: 'ship' }] });
    const [shown, missing] = await Promise.all([ops('orders', 'show', orderId), ops('orders', 'show', NOBODY)]);
    expect(shown.stdout).toMatch(new RegExp(`^order +${orderId}$`, 'm'));
    expect(shown.stdout).toMatch(/^why it waits +\S/m);
    expect(missing.code).toBe(3);
  });

  it('lists every attempt at its time, with its error, duration and worker', async () => {
    const orderId = await placeOrder();
    const ref = { orderId, generation: 1, step: 'ship', kind: 'step' } as const;
    const error = { errorType: 'warehouse_unavailable', errorMessage: 'down' };
    await handle.db.insert(sagaSteps).values({ ...ref, state: 'retrying', attempts: 7, ...error });
    const ours = { ...ref, worker: '71@worker' };
    await handle.db.insert(attemptEvents).values([
      { ...ours, attempt: 1, type: 'started', at: new Date('2026-11-24T08:00:00Z') },
      { ...ours, attempt: 2, type: 'started', at: new Date('2026-11-24T08:00:02Z') },
      { ...ours, attempt: 2, type: 'failed', at: new Date('2026-11-24T08:00:03Z'), durationMs: 1_200, ...error },
      { ...ours, kind: 'withdrawal', attempt: 1, type: 'done', at: new Date('2026-11-24T08:00:04Z'), durationMs: 30 },
    ]);
    await openFailureOf(handle.db, { orderId, generation: 1 }, { kind: 'compensation', attempts: 3, errorMessage: 'still down' });
    const { stdout } = await ops('orders', 'show', orderId);
    const happened = stdout.split('\n').filter((line) => / (?:step|withdrawal) ship /.test(line));
    expect(happened.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      '2026-11-24 08:00:00Z step ship attempt 1 started on 71@worker',
      expect.stringMatching(/^2026-11-24 08:00:02Z step ship attempt 1 did not end: its worker was lost, .* on 71@worker$/),
      '2026-11-24 08:00:02Z step ship attempt 2 started on 71@worker',
      '2026-11-24 08:00:03Z step ship attempt 2 failed after 1.2 s on 71@worker: warehouse_unavailable: down',
      '2026-11-24 08:00:03Z step ship 5 more attempts, the latest: warehouse_unavailable: down',
      '2026-11-24 08:00:04Z withdrawal ship answered after 30 ms on 71@worker',
      '2026-11-24 08:00:04Z withdrawal ship 2 more attempts, the latest: warehouse_unavailable: still down',
    ]);
  });

  it('says how a cancellation stands, and who asked for it, by the name of their key', async () => {
    const { orderId, failureId } = await park();
    await cancelFailure.perform(handle, failureId, { reason: 'ordered twice' }, actorOf({ keyId }));
    const [order, failure] = await Promise.all([ops('orders', 'show', orderId), ops('failures', 'show', failureId)]);
    expect(order.stdout).toMatch(/^cancellation +requested$/m);
    expect(order.stdout).toMatch(/^cancellation reason +ordered twice$/m);
    expect(order.stdout).toMatch(/^cancellation requested +\d{4}-\S+ \S+Z by test$/m);
    expect(order.stdout).not.toMatch(/cancelled/);
    expect(failure.stdout).toMatch(/cancel_requested +test +ordered twice/);
    for (const { stdout } of [order, failure]) expect(stdout).not.toContain(keyId);
  });

  it('cancels one and restarts a failed one, each recorded with its actor', async () => {
    const cancelled = await placeOrder();
    const failed = await placeOrder();
    await handle.db.update(orders).set({ status: 'failed' }).where(eq(orders.id, failed));
    const [cancel, restart] = await Promise.all([
      ops('orders', 'cancel', cancelled, '--reason', 'twice', '--actor', 'cli:ada', '--yes'),
      opsJson('orders', 'restart', failed, '--reason', 'new card', '--actor', 'cli:ada', '--yes'),
    ]);
    expect(cancel.code).toBe(0);
    expect(await lastCommand(cancelled)).toMatchObject({ message: { actor: 'cli:ada' } });
    expect(restart).toMatchObject({ code: 0, printed: { generation: 2 } });
    expect(await actionsOn(failed)).toMatchObject([{ action: 'restart_order', actor: 'cli:ada', reason: 'new card' }]);
  });
});

describe('ops people', () => {
  it("erases a person's data after a confirmation, and says what it left", async () => {
    const erase = ['people', 'erase', 'left@example.com', '--reason', 'asked for it'];
    const orderId = await placeOrder();
    await handle.db.update(orders).set({ customerEmail: 'left@example.com' }).where(eq(orders.id, orderId));
    expect((await ops(...erase)).code).toBe(2);
    const { code, stdout } = await ops(...erase, '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('Orders erased: 0. Signups erased: 0.');
    expect(stdout).toContain('Left, because they are in progress, have just ended or need attention: 1.');
  });
});

describe('ops schedules', () => {
  it('are listed with what differs from their declaration, paused, resumed, run and backfilled', async () => {
    const [weekly] = scheduleDefinitions('Europe/Berlin');
    if (!weekly) throw new Error('nothing is declared');
    await upsertSchedule(namespace.client, { ...weekly, timeZone: 'Asia/Tokyo' });
    expect((await opsJson('schedules', 'list')).printed).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ scheduleId: 'weekly-report', drift: ['time zone'] })]),
    });
    await upsertSchedule(namespace.client, weekly);
    const span = ['--from', '2026-10-05', '--to', '2026-10-19'];
    const plan = await opsJson('schedules', 'backfill', 'weekly-report', ...span, '--dry-run');
    expect(plan.printed).toMatchObject({ runs: ['2026-10-05T06:00:00.000Z', '2026-10-12T06:00:00.000Z'] });

    for (const args of [['pause'], ['resume'], ['run'], ['backfill', ...span]]) {
      const [verb = '', ...rest] = args;
      expect(await ops('schedules', verb, 'weekly-report', ...rest, '--reason', 'proof', '--yes')).toMatchObject({ code: 0 });
    }
    const { state } = await namespace.client.schedule.getHandle('weekly-report').describe();
    expect(state).toMatchObject({ paused: false, note: expect.stringContaining('proof') });
    expect((await actionsOn('weekly-report')).map(({ action }) => action)).toEqual([
      'pause_schedule',
      'resume_schedule',
      'run_schedule',
      'backfill_schedule',
    ]);
    expect((await ops('schedules', 'pause', 'not-ours', '--reason', 'x', '--yes')).code).toBe(3);
  });
});

describe('ops queues', () => {
  it('warns loudly when no worker is polling', async () => {
    const { code, stdout } = await ops('queues');
    expect(code).toBe(0);
    expect(stdout).toContain('! holdfast-orders: NO WORKERS POLLING');
    expect((await answered('queues')).printed).toMatchObject({
      queues: [{ queue: 'orders', warning: 'no workers polling' }, {}, {}],
      shop: { commandsWaiting: expect.any(Number) },
    });
  });
});

describe('ops health', () => {
  it('shows how the services answer and which workers are alive', async () => {
    const at = new Date();
    const before = await ops('health');
    expect(before.code).toBe(0);
    expect(before.stdout).toMatch(/Warehouse\s+NOT CHECKED/);
    expect(before.stdout).toContain('No worker is running.');
    await handle.db.insert(serviceProbes).values({ service: 'warehouse', nextProbeAt: at, lastFailureAt: at, lastError: 'HTTP 503' });
    await handle.db.insert(workers).values({ identity: '1@host', host: 'host', version: '1.2.3', queues: ['orders'] });
    const after = await ops('health');
    expect(after.stdout).toMatch(/Warehouse\s+FAILING.*HTTP 503/);
    expect(after.stdout).toMatch(/1@host\s+host\s+NOT POLLING\s+1\.2\.3\s+orders/);
    expect((await answered('health')).printed).toMatchObject({
      services: [{}, {}, { service: 'warehouse', state: 'failing' }],
      workers: [{ identity: '1@host', state: 'not_polling' }],
    });
  });

  it('answers, and ends as usual, while Temporal is away', async () => {
    const { code, stdout, stderr } = await opsWith({ TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'health');
    expect(stderr).toBe('');
    expect(stdout).toContain('Temporal is not answering.');
    expect(code).toBe(0);
  });
});

describe('ops reports', () => {
  it('are listed and shown', async () => {
    const figures = {
      currency: 'EUR',
      orders: { accepted: 3, completed: 2, cancelled: 0, failed: 1, open: 0 },
      money: { captured: 2_000, refunded: 500 },
      signups: { started: 0, verified: 0, subscribed: 0, expired: 0 },
      failures: { opened: 1, stillOpen: 0 },
      days: [{ date: '2026-11-16', orders: 3, captured: 2_000 }],
    };
    await handle.db.insert(weeklyReports).values({
      week: '2026-W47',
      timeZone: 'Europe/Berlin',
      startsAt: new Date('2026-11-15T23:00:00Z'),
      endsAt: new Date('2026-11-22T23:00:00Z'),
      figures,
      chart: '<svg/>',
    });
    expect((await opsJson('reports', 'list')).printed).toMatchObject({ data: [{ week: '2026-W47', figures }] });
    expect((await ops('reports', 'show', '2026-W47')).stdout).toContain('€20.00 captured, €5.00 refunded');
    expect((await ops('reports', 'show', '1999-W01')).code).toBe(3);
  });
});

describe('ops', () => {
  it('explains its exit codes', async () => {
    expect(await ops('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('not found, or refused') });
  });

  it('names the missing environment variables, and exits with 2', async () => {
    const { code, stderr } = await runCommand('src/cli/main.ts', ['failures', 'list'], {});
    expect(code).toBe(2);
    expect(stderr).toContain('DATABASE_URL');
  });

  it('reports that Postgres is away, and exits with 1', async () => {
    const { code, stderr } = await runCommand('src/cli/main.ts', ['keys', 'list'], {
      DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/holdfast',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('ECONNREFUSED');
    expect(stderr).not.toContain('hunter2');
  });

  it('creates, lists, rotates and revokes keys, and records the actor', async () => {
    const created = await opsJson('keys', 'create', 'shop', '--role', 'customer', '--expires', '2099-06-30');
    const id = String(Object(created.printed).id);
    expect((await ops('keys', 'list')).stdout).toMatch(new RegExp(`${id} +customer .*2099-06-30 00:00:00Z +never +shop`));
    const rotated = await ops('keys', 'rotate', id, '--overlap', '2h', '--expires', 'never');
    expect(rotated.stdout).toMatch(/The old secret works until \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\./);
    expect((await ops('keys', 'list')).stdout.match(new RegExp(id, 'g'))).toHaveLength(2);
    expect((await ops('keys', 'rotate', id, '--overlap', '90')).code).toBe(2);
    expect((await ops('keys', 'revoke', id, '--reason', 'lost')).code).toBe(0);
    expect((await ops('keys', 'revoke', id)).code).toBe(3);
    expect(await actionsOn(id)).toMatchObject([
      { action: 'create_api_key' },
      { action: 'rotate_api_key' },
      { action: 'revoke_api_key', reason: 'lost' },
    ]);
  });
});
