import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { failures } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { openFailure } from '../../src/records/failures.ts';
import { about, useRig } from '../support/rig.ts';

const rig = await useRig({ environment: { ALERT_DIGEST_EVERY: '15m' } });

const MINUTE = 60_000;
const ON_CALL = 'oncall@holdfast.example';

/** Each test has its own group of failures, named after its step. */
const groupOf = (step: string) => `step/${step}/warehouse_unavailable`;

const open = (step: string, count = 1) =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      transaction(rig.db, (tx) =>
        openFailure(tx, {
          kind: 'step',
          workflowId: `order/${step}-${index}`,
          step,
          errorType: 'warehouse_unavailable',
          errorMessage: 'No answer.',
          attempts: 4,
        }),
      ),
    ),
  );

const closeAll = (step: string) =>
  rig.db
    .update(failures)
    .set({ status: 'resolved' })
    .where(and(eq(failures.step, step), eq(failures.status, 'open')));

/** @returns the first words of the alerts about a group, with the number of open failures */
const alerts = (step: string): string[] =>
  rig
    .emails(ON_CALL)
    .filter((subject) => subject.includes(groupOf(step)))
    .map((subject) => subject.replace(/^\[Holdfast\] (.*): \S+ (\(.*\))$/, '$1 $2'));

const alerted = (step: string, word: string) => rig.email(ON_CALL, new RegExp(`\\] ${word}: ${groupOf(step)} `));

describe('an alert', () => {
  it('is sent at once, every 15 minutes while a failure is open, and once all are closed', async () => {
    await open('down');
    await rig.deliver();
    await alerted('down', 'Failing');
    await rig.skip(31 * MINUTE);
    expect(alerts('down')).toEqual(['Failing (1 open)', 'Still failing (1 open)', 'Still failing (1 open)']);
    await closeAll('down');
    await rig.result(rig.watchAlert(groupOf('down')));
    expect(alerts('down').slice(3)).toEqual(['Resolved (0 open)']);
    expect(await rig.timers(rig.watchAlert(groupOf('down')))).toEqual(Array(3).fill(about(15 * MINUTE)));
    // Not on the customers' queue: a flood of their mail must not delay it.
    expect(await rig.queuesOf(rig.watchAlert(groupOf('down')), 'sendAlert')).toEqual(new Set(['holdfast-operations']));
    await rig.alertGroup(groupOf('down'), false);
    rig.keepAs('alert-digests', rig.watchAlert(groupOf('down')));
  });

  it('covers fifty failures of a group', async () => {
    await open('outage', 50);
    await rig.deliver();
    await rig.skip(16 * MINUTE);
    await closeAll('outage');
    await rig.result(rig.watchAlert(groupOf('outage')));
    expect(alerts('outage')).toEqual([
      expect.stringMatching(/^Failing/),
      'Still failing (50 open)',
      'Resolved (0 open)',
    ]);
  });

  it('is sent again for a failure after the group was closed', async () => {
    await open('again');
    await rig.deliver();
    await alerted('again', 'Failing');
    await closeAll('again');
    await rig.result(rig.watchAlert(groupOf('again')));
    await open('again');
    await rig.deliver();
    await closeAll('again');
    await rig.result(rig.watchAlert(groupOf('again')));
    expect(alerts('again').map((alert) => alert.split(' ')[0])).toEqual(['Failing', 'Resolved', 'Failing', 'Resolved']);
  });

  it('is sent again by the same run for a failure while the group is being closed', async () => {
    await open('meanwhile');
    await rig.deliver();
    await alerted('meanwhile', 'Failing');
    await closeAll('meanwhile');
    // Sending "Resolved" takes a while, so the run is still there when the next failure opens.
    rig.inbox.faults.set({ mode: 'slow', delayMs: 300 });
    const skipping = rig.skip(16 * MINUTE);
    await rig.alertGroup(groupOf('meanwhile'), false);
    await open('meanwhile');
    await rig.deliver();
    await skipping;
    rig.heal();
    await closeAll('meanwhile');
    await rig.result(rig.watchAlert(groupOf('meanwhile')));
    expect(await rig.signals(rig.watchAlert(groupOf('meanwhile')))).toEqual(['groupOpened', 'groupOpened']);
    expect(alerts('meanwhile').map((alert) => alert.split(' ')[0])).toEqual([
      'Failing',
      'Resolved',
      'Failing',
      'Resolved',
    ]);
    rig.keepAs('alert-reopened', rig.watchAlert(groupOf('meanwhile')));
  });

  it('that cannot be sent is logged, and opens no failure itself', async () => {
    rig.inbox.faults.set({ mode: 'down' });
    await open('mute');
    await rig.deliver();
    await rig.skip(MINUTE * 5);
    await closeAll('mute');
    rig.heal();
    await rig.result(rig.watchAlert(groupOf('mute')));
    expect(alerts('mute')).toEqual(['Resolved (0 open)']);
    expect(await rig.db.$count(failures, eq(failures.kind, 'email'))).toBe(0);
  });
});
