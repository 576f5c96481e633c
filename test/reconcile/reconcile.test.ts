import { and, eq } from 'drizzle-orm';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { BOOK_CHECKS } from '../../src/contracts/books.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { bookChecks, commands, failures } from '../../src/db/schema.ts';
import { fixFailure } from '../../src/operate/discrepancies.ts';
import { booksSchema } from '../../src/views/books.ts';
import { runCommand, TIME_FOR_COMMANDS } from '../support/command.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorker } from '../support/service-process.ts';

const temporal = await useNamespace();
const shop = await useShop({ environment: { RECONCILE_GRACE: '1s' } });
const { db } = shop;
// Before the worker starts, which would deliver the command.
const { orderId } = await shop.placeOrder();
await db.delete(commands).where(eq(commands.workflowId, orderWorkflowId(orderId)));
const worker = await startWorker({ ...shop.environment, ...temporal.environment });
afterAll(() => worker.stop());

/** Runs the job as its schedule or the command line does. */
const reconcile = (scope: 'changed' | 'everything') =>
  temporal.client.workflow.execute('reconcile', {
    workflowId: `reconcile-${crypto.randomUUID()}`,
    taskQueue: TASK_QUEUES.operations,
    args: [{ scope, confirm: true }],
  });

/** Runs `npm run ops -- reconcile`. */
const ops = async () => {
  const environment = { DATABASE_URL: shop.environment.DATABASE_URL, ...temporal.environment };
  const { code, stdout, stderr } = await runCommand('src/cli/main.ts', ['reconcile', '--json'], environment);
  expect(stderr).toBe('');
  return { code, books: booksSchema.parse(JSON.parse(stdout)) };
};

describe('reconciliation', { timeout: TIME_FOR_COMMANDS }, () => {
  it('reports what stays different in one run, and resolves it in a later one', async () => {
    await reconcile('changed');
    const reported = () => db.select().from(failures).where(eq(failures.orderId, orderId));
    expect(await reported()).toMatchObject([{ kind: 'discrepancy', status: 'open', errorType: 'run_missing' }]);
    expect(await db.select().from(bookChecks).where(eq(bookChecks.scope, 'changed'))).toHaveLength(BOOK_CHECKS.length);

    const found = await ops();
    expect(found).toMatchObject({ code: 4, books: { differences: [{ check: 'order_runs', subject: orderId, fix: 'start_run' }] } });

    const [failure] = await reported();
    await fixFailure.perform({ db }, failure?.id ?? '', { reason: 'its command was lost' }, 'key:operator');
    expect(await reported()).toMatchObject([{ status: 'retrying' }]);
    await vi.waitFor(
      async () => {
        await reconcile('changed');
        expect(await reported()).toMatchObject([{ status: 'resolved' }]);
      },
      { timeout: 60_000, interval: 500 },
    );
    const healthy = await ops();
    expect(healthy).toMatchObject({ code: 0, books: { differences: [] } });
    expect(healthy.books.checks.map(({ check }) => check)).toEqual([...BOOK_CHECKS]);
  });

  it('records that it could not compare while the provider is down, and reports nothing', async () => {
    shop.payments.faults.set({ mode: 'error_before' });
    await reconcile('changed');
    const runs = await db.select().from(bookChecks).where(eq(bookChecks.scope, 'changed'));
    expect(runs.filter(({ error }) => error !== null)).toMatchObject([
      { check: 'payments', error: expect.stringContaining('payment_unavailable'), compared: 0 },
    ]);
    expect(await db.$count(failures, eq(failures.status, 'open'))).toBe(0);
    shop.heal();
    await reconcile('changed');
    const [payments] = await db.select().from(bookChecks).where(and(eq(bookChecks.check, 'payments'), eq(bookChecks.scope, 'changed')));
    expect(payments).toMatchObject({ error: null });
  });
});
