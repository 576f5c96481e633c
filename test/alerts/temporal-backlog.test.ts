import { expect, it } from 'vitest';
import { configureAlerter } from '../../src/alerts/configured.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { createNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';

const DAY = 86_400_000;
const ON_CALL = 'oncall@holdfast.example';

const shop = await useShop();
const temporal = await createNamespace();

it('is an alert when no worker polls, and when a schedule did not run', async () => {
  const { client } = temporal;
  const weekly = scheduleDefinitions('Europe/Berlin').filter(({ scheduleId }) => scheduleId === 'weekly-report');
  for (const definition of weekly) await upsertSchedule(client, definition);
  let skipped = 0;
  const now = () => Promise.resolve(new Date(Date.now() + skipped));
  const alerter = configureAlerter(loadWorkerConfig(shop.environment), { db: shop.db, client, log: shop.log, now });
  await alerter.look();
  expect(shop.inbox.messages({ to: ON_CALL })).toEqual([]);
  skipped = 60_000;
  await alerter.look();
  const subjects = () => shop.inbox.messages({ to: ON_CALL }).map(({ subject }) => subject);
  expect(subjects().toSorted()).toEqual(
    ['email', 'operations', 'orders'].map((queue) => expect.stringMatching(new RegExp(`no workers have polled holdfast-${queue} since \\d\\d:\\d\\d`))),
  );
  // The server's own clock has not come to the next Monday.
  skipped = 8 * DAY;
  await alerter.look();
  skipped += 120_000;
  await alerter.look();
  expect(subjects()).toContainEqual(expect.stringMatching(/the schedule weekly-report did not run at 08:00 on /));
  alerter.close();
  await temporal.close();
});
