import { eq, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { differences, failureEvents, failures } from '../../src/db/schema.ts';
import { fixFailure } from '../../src/operate/discrepancies.ts';
import { settleFailure } from '../../src/operate/failures.ts';
import type { Difference } from '../../src/reconcile/check.ts';
import { recordComparison } from '../../src/reconcile/record.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();
const { db } = shop;
const GRACE = 60_000;

let difference: Difference;
beforeEach(async () => {
  const { orderId, generation } = await shop.placeOrder();
  difference = { subject: orderId, what: 'run_missing', ours: 'accepted', theirs: 'no run', orderId, generation };
});

/** Records a comparison of the subject. @param found undefined if the two sides are equal */
const compared = (found: Difference | undefined) =>
  recordComparison(db, 'order_runs', { subjects: [difference.subject], found: found ? [found] : [], grace: GRACE });

const age = () =>
  db
    .update(differences)
    .set({ firstSeenAt: sql`now() - interval '2 minutes'` })
    .where(eq(differences.subject, difference.subject));

const reported = () => db.select().from(failures).where(eq(failures.orderId, difference.subject));

describe('a difference', () => {
  it('is not reported while it is young, however often it is seen', async () => {
    for (let times = 0; times < 3; times += 1) await compared(difference);
    expect(await reported()).toEqual([]);
  });

  it('is not reported while it changes: the two sides are still at work', async () => {
    await compared(difference);
    await age();
    await compared({ ...difference, ours: 'reserved' });
    await compared({ ...difference, ours: 'reserved' });
    expect(await reported()).toEqual([]);
  });

  it('becomes one failure with both sides once it is old, and closes when the sides are equal', async () => {
    await compared(difference);
    await age();
    for (let times = 0; times < 3; times += 1) await compared(difference);
    expect(await reported()).toMatchObject([
      {
        kind: 'discrepancy',
        status: 'open',
        step: 'order_runs',
        errorType: 'run_missing',
        errorMessage: 'Postgres: accepted. Temporal: no run.',
        workflowId: `order/${difference.subject}`,
        occurrence: 1,
      },
    ]);

    await compared(undefined);
    const [failure] = await reported();
    expect(failure).toMatchObject({ status: 'resolved' });
    const events = await db.select().from(failureEvents).where(eq(failureEvents.failureId, failure?.id ?? ''));
    expect(events.map(({ type }) => type)).toEqual(['opened', 'resolved']);
    expect(await db.$count(differences, eq(differences.subject, difference.subject))).toBe(0);
  });

  it('shows in its failure what the sides say now', async () => {
    await compared(difference);
    await age();
    await compared(difference);
    const changed = { ...difference, ours: 'charged' };
    await compared(changed);
    await age();
    await compared(changed);
    expect(await reported()).toMatchObject([{ status: 'open', errorMessage: expect.stringContaining('charged') }]);
  });

  it('that a person has settled stays settled until it changes', async () => {
    await compared(difference);
    await age();
    await compared(difference);
    const [failure] = await reported();
    await settleFailure.perform({ db }, failure?.id ?? '', { reason: 'known' }, 'key:operator');
    await compared(difference);
    expect(await reported()).toMatchObject([{ status: 'settled' }]);

    const changed = { ...difference, what: 'run_ended' };
    await compared(changed);
    await age();
    await compared(changed);
    expect((await reported()).map(({ status }) => status).toSorted()).toEqual(['open', 'settled']);
  });

  it('shares the failure of its order, which closes with the last of them', async () => {
    const other = { ...difference, subject: `${difference.subject}:2` };
    const both = (found: Difference[]) =>
      recordComparison(db, 'order_runs', { subjects: [difference.subject, other.subject], found, grace: GRACE });
    await both([difference, other]);
    await db.update(differences).set({ firstSeenAt: sql`now() - interval '2 minutes'` });
    await both([difference, other]);
    await both([difference]);
    expect(await reported()).toMatchObject([{ status: 'open' }]);
    await both([]);
    expect(await reported()).toMatchObject([{ status: 'resolved' }]);
  });

  it('whose fix did not help is reported again, and one without a certain fix is not offered any', async () => {
    const fixable = { ...difference, fix: 'start_run' as const };
    await compared(fixable);
    await age();
    await compared(fixable);
    const [failure] = await reported();
    const fix = () => fixFailure.perform({ db }, failure?.id ?? '', { reason: 'start it' }, 'key:operator');
    await fix();
    await compared(fixable);
    expect(await reported()).toMatchObject([{ status: 'retrying' }]);
    await age();
    await compared(fixable);
    expect(await reported()).toMatchObject([{ status: 'open', occurrence: 2 }]);

    await compared(difference);
    await expect(fix()).rejects.toMatchObject({ type: 'fix_not_certain' });
  });
});
