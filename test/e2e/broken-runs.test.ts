import { eq } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { createRunActivities } from '../../src/activities/broken-runs.ts';
import { orderWorkflowId, signupWorkflowId } from '../../src/contracts/ids.ts';
import { failures } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { resetFailure, settleFailure } from '../../src/operate/failures.ts';
import { openFailure } from '../../src/records/failures.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';

const temporal = await useNamespace();
const shop = await useShop();
const runs = createRunActivities({ db: shop.db, client: temporal.client });
const dispatcher = shop.dispatcher(temporal.client);

/** Starts a workflow that no worker takes, and ends it before its first task. */
async function terminated(type: string, workflowId: string): Promise<string> {
  const run = await temporal.client.workflow.start(type, { workflowId, taskQueue: 'nobody', args: [] });
  await run.terminate();
  return workflowId;
}

async function order(): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await dispatcher.drain();
  return orderWorkflowId(orderId);
}

async function signup(): Promise<string> {
  const { made } = await acceptSignup(shop.db, shop.caller, {
    idempotencyKey: crypto.randomUUID(),
    requestHash: 'test',
    signup: { email: `${crypto.randomUUID()}@example.com`, name: 'Grace Hopper' },
  });
  await dispatcher.drain();
  return signupWorkflowId(made.id);
}

const failureOf = async (workflowId: string) => {
  const [found] = await shop.db.select().from(failures).where(eq(failures.workflowId, workflowId));
  return found;
};

/** Watches until a run has a failure with these columns. The server lists a run as ended only after a moment. */
const reported = (workflowId: string, columns: Partial<typeof failures.$inferSelect>) =>
  vi.waitFor(
    async () => {
      await runs.reportBrokenRuns();
      expect(await failureOf(workflowId)).toMatchObject(columns);
    },
    { timeout: 20_000, interval: 200 },
  );

const BROKEN = { kind: 'run', status: 'open', errorType: 'run_failed' } as const;
const given = { reason: 'looked into' };

describe('a run that ended before its first task', () => {
  it.each([
    ['an order', order],
    ['a signup', signup],
  ])('of %s is reported, and starts again when it is reset', async (_name, place) => {
    const workflowId = await place();
    await temporal.client.workflow.getHandle(workflowId).terminate();
    await reported(workflowId, BROKEN);
    const failure = await failureOf(workflowId);

    await resetFailure.perform(shop, failure?.id ?? '', given, 'key:operator');
    await dispatcher.drain();
    const again = await temporal.client.workflow.getHandle(workflowId).describe();
    expect(again).toMatchObject({ status: { name: 'RUNNING' } });
    expect(again.runId).not.toBe(failure?.runId);
    await reported(workflowId, { status: 'resolved' });
  });

  it.each([
    ['weeklyReport', 'weekly-report-2026-11-23T07:00:00Z'],
    ['replayFailures', 'replay/01a210d1-0000-7000-8000-000000000000'],
    ['alert', 'alert/step/ship/warehouse_unavailable'],
  ])('of type %s is reported until a person settles it', async (type, workflowId) => {
    await terminated(type, workflowId);
    await reported(workflowId, BROKEN);
    await settleFailure.perform(shop, (await failureOf(workflowId))?.id ?? '', given, 'key:operator');
    await runs.reportBrokenRuns();
    expect(await shop.db.select().from(failures).where(eq(failures.workflowId, workflowId))).toMatchObject([{ status: 'settled' }]);
  });
});

describe('the failure of a run that Temporal has forgotten', () => {
  it('stays open, and keeps no other run from being watched', async () => {
    const forgotten = orderWorkflowId((await shop.placeOrder()).orderId);
    await transaction(shop.db, (tx) =>
      openFailure(tx, { kind: 'run', workflowId: forgotten, step: 'run', errorType: 'run_failed', errorMessage: 'gone', attempts: 1 }),
    );
    const workflowId = await terminated('weeklyReport', 'weekly-report-2026-11-30T07:00:00Z');
    await reported(workflowId, BROKEN);
    expect(await failureOf(forgotten)).toMatchObject({ status: 'open' });
  });
});
