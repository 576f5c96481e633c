import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { createRunActivities } from '../../src/activities/broken-runs.ts';
import { failures, orders } from '../../src/db/schema.ts';
import { resetFailure } from '../../src/operate/failures.ts';
import { expectBooksBalanced } from '../support/books.ts';
import { bundleChangedWorkflows, type Change } from '../support/changed-workflows.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorker } from '../support/service-process.ts';

/** A release that fails every order right after its charge. */
const BUG: Change = {
  file: 'order.ts',
  imports: ['ApplicationFailure'],
  change: (code) =>
    code.replace(
      /^ *showStatus\('charged'.*$/m,
      `throw ApplicationFailure.nonRetryable('cannot read properties of undefined', 'TypeError');`,
    ),
};

const ORDERS = 3;

const temporal = await useNamespace();
const shop = await useShop();

const openFailures = () => shop.db.select().from(failures).where(eq(failures.status, 'open'));
const statuses = async () => new Set((await shop.db.select().from(orders)).map(({ status }) => status));
const until = (wanted: string) =>
  vi.waitFor(async () => expect(await statuses()).toEqual(new Set([wanted])), { timeout: 60_000, interval: 100 });

describe('orders whose runs have failed because of a bug', () => {
  it('appear as failures, and continue once the code is fixed and they are reset, charged once', { timeout: 120_000 }, async () => {
    const broken = join(shop.folder, 'broken.js');
    await writeFile(broken, await bundleChangedWorkflows([BUG]));
    const environment = { ...shop.environment, ...temporal.environment };
    const buggy = await startWorker({ ...environment, WORKFLOW_BUNDLE: broken });
    for (let index = 0; index < ORDERS; index += 1) await shop.placeOrder();
    await until('charged');

    const runs = createRunActivities({ db: shop.db, client: temporal.client });
    // The server lists a run as failed only after a moment.
    await vi.waitFor(
      async () => {
        await runs.reportBrokenRuns();
        expect(await openFailures()).toHaveLength(ORDERS);
      },
      { timeout: 25_000, interval: 200 },
    );
    expect(await openFailures()).toContainEqual(expect.objectContaining({ kind: 'run', errorType: 'run_failed' }));
    await buggy.stop();

    const fixed = await startWorker(environment);
    for (const { id } of await openFailures()) {
      await resetFailure.perform(shop, id, { reason: 'the code is fixed' }, 'key:operator');
    }
    await until('fulfilling');
    expect(shop.payments.ledger().filter(({ type }) => type === 'payment_intent.succeeded')).toHaveLength(ORDERS);
    expect(shop.warehouse.ledger().filter(({ type }) => type === 'shipment.accepted')).toHaveLength(ORDERS);

    await runs.reportBrokenRuns();
    expect(await openFailures()).toEqual([]);
    const outcomes = (await shop.db.select().from(failures)).map(({ status }) => status);
    expect(outcomes).toEqual(Array.from({ length: ORDERS }, () => 'resolved'));
    await expectBooksBalanced(shop, temporal.client);
    await fixed.stop();
  });
});
