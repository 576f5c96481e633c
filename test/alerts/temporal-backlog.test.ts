import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { configureAlerter } from '../../src/alerts/configured.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { createNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const DAY = 86_400_000;
const ON_CALL = 'oncall@holdfast.example';
const EVENTUALLY = { timeout: 25_000, interval: 100 };

const shop = await useShop();
const temporal = await createNamespace();
afterAll(() => temporal.close());

it('is an alert when no worker polls, and when a schedule did not run', async () => {
  const { client } = temporal;
  const weekly = scheduleDefinitions('Europe/Berlin').filter(({ scheduleId }) => scheduleId === 'weekly-report');
  for (const definition of weekly) await upsertSchedule(client, definition);
  let skipped = 0;
  const now = () => Promise.resolve(new Date(Date.now() + skipped));
  const alerter = configureAlerter(loadWorkerConfig(shop.environment), { db: shop.db, client, log: shop.log, now });
  await alerter.look();
  expect(shop.inbox.messages({ to: ON_CALL })).toEqual([]);
  /** Looks again, after some time: a look may be over before Temporal has answered. @returns what was said */
  const lookAfter = async (ms: number) => {
    skipped += ms;
    await alerter.look();
    return shop.inbox.messages({ to: ON_CALL }).map(({ subject }) => subject);
  };
  await expect.poll(async () => (await lookAfter(60_000)).toSorted(), EVENTUALLY).toEqual(
    ['email', 'operations', 'orders'].map((queue) => expect.stringMatching(new RegExp(`no workers have polled holdfast-${queue} since \\d\\d:\\d\\d`))),
  );
  // The server's own clock has not come to the next Monday.
  skipped = 8 * DAY;
  const missed = expect.stringMatching(/the schedule weekly-report did not run at 08:00 CES?T on /);
  await expect.poll(() => lookAfter(120_000), EVENTUALLY).toContainEqual(missed);
  alerter.close();
});

it('is an alert when tasks wait for too long because all workers are busy, until they are done', async () => {
  const { client } = temporal;
  const free = new AbortController();
  const freed = once(free.signal, 'abort');
  let begun = 0;
  const pruneFinishedWork = async () => {
    begun += 1;
    await freed;
  };
  const stop = await startWorkers(shop, { ...temporal, queues: ['operations'], slots: 1, replaceActivities: () => ({ pruneFinishedWork }) });
  onTestFinished(async () => {
    free.abort();
    await stop();
  });
  const start = () => client.workflow.start('prune', { taskQueue: TASK_QUEUES.operations, workflowId: randomUUID() });
  const runs = await Promise.all([1, 2, 3].map(start));
  // Earlier, other tasks would wait: the first ones of the runs.
  const scheduled = async () => (await Promise.all(runs.map((run) => run.describe()))).flatMap(({ raw }) => raw.pendingActivities ?? []).length;
  await expect.poll(scheduled, EVENTUALLY).toBe(3);
  await expect.poll(() => begun, EVENTUALLY).toBe(1);
  let skipped = 0;
  const now = () => Promise.resolve(new Date(Date.now() + skipped));
  const config = loadWorkerConfig({ ...shop.environment, ALERT_BACKLOG_AFTER: '1s' });
  const alerter = configureAlerter(config, { db: shop.db, client, log: shop.log, now });
  /** Looks again, as if half a minute later. @returns what was said of tasks, in order */
  const look = async () => {
    skipped += 30_000;
    await alerter.look();
    const subjects = shop.inbox.messages({ to: ON_CALL }).map(({ subject }) => subject);
    return subjects.filter((subject) => / tasks /.test(subject)).toReversed();
  };
  const waiting = expect.stringMatching(/2 tasks wait in holdfast-operations: the oldest since \d\d:\d\d/);
  await expect.poll(look, EVENTUALLY).toEqual([waiting]);
  free.abort();
  await Promise.all(runs.map((run) => run.result()));
  await expect.poll(look, EVENTUALLY).toEqual([waiting, expect.stringContaining('tasks of holdfast-operations are done in time again')]);
  alerter.close();
});
