import { eq, sql } from 'drizzle-orm';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { commands, failures, orders } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { cancelOrder } from '../../src/intake/orders.ts';
import { resetFailure, retryFailure } from '../../src/operate/failures.ts';
import { restartOrder } from '../../src/operate/orders.ts';
import { enqueueCommand } from '../../src/records/commands.ts';
import { startTcpProxy } from '../api/support/tcp-proxy.ts';
import { useNamespace } from '../support/namespace.ts';
import { openFailureOf } from '../support/failures.ts';
import { codec, dataConverter } from '../support/payloads.ts';
import { createShop, type Shop } from '../support/shop.ts';

const temporal = await useNamespace();
let shop: Shop;
beforeEach(async () => {
  shop = await createShop();
});
afterEach(() => shop.close());

/** Delivers the pending commands. */
const drain = () => shop.dispatcher(temporal.client).drain();

const runOf = (orderId: string) => temporal.client.workflow.getHandle(orderWorkflowId(orderId));

/** Lets the time of every lease and every delay pass. */
const endLeases = () => shop.db.update(commands).set({ nextAttemptAt: sql`now()` });

/** Starts the workflow of a new order and ends it. @returns the order's id */
async function endedOrder(): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await drain();
  await runOf(orderId).terminate('for the test');
  return orderId;
}

const enqueueUpdate = (orderId: string, trackingNumber: string) =>
  transaction(shop.db, (tx) =>
    enqueueCommand(tx, {
      type: 'update_shipment',
      orderId,
      message: { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber },
    }),
  );

const states = async () =>
  (await shop.db.select({ state: commands.state }).from(commands).orderBy(commands.id)).map(({ state }) => state);

const isRunning = (orderId: string): Promise<boolean> =>
  runOf(orderId)
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      },
    );

/** @returns the names of the signals to an order, in order */
async function signals(orderId: string): Promise<string[]> {
  const { events } = await runOf(orderId).fetchHistory();
  return (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
}

/** @returns the tracking numbers in the signals to an order, in order */
async function trackingNumbers(orderId: string): Promise<unknown[]> {
  const { events } = await runOf(orderId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const [payload] = signal?.input?.payloads ?? [];
    if (!payload) return [];
    const message: unknown = defaultPayloadConverter.fromPayload(codec.decodeOne(payload));
    return [typeof message === 'object' && message !== null && 'trackingNumber' in message ? message.trackingNumber : message];
  });
}

describe('the dispatcher', () => {
  it('keeps the commands of a workflow in order, even with several dispatchers at once', async () => {
    const placed = await Promise.all(Array.from({ length: 4 }, () => shop.placeOrder()));
    const numbers = Array.from({ length: 8 }, (_, index) => String(index));
    for (const number of numbers) for (const { orderId } of placed) await enqueueUpdate(orderId, number);
    const pools = Array.from({ length: 3 }, (_, index) =>
      connectDatabase(shop.environment.DATABASE_URL, { max: 2, name: `dispatcher-${index}` }),
    );
    try {
      const dispatchers = pools.map(({ db }) => shop.dispatcher(temporal.client, db));
      await expect
        .poll(async () => {
          await Promise.all(dispatchers.map((dispatcher) => dispatcher.drain()));
          return [...new Set(await states())];
        }, { timeout: 20_000 })
        .toEqual(['delivered']);
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
    for (const { orderId } of placed) expect(await trackingNumbers(orderId)).toEqual(numbers);
  });

  it('starts every order, one by one, even if its worker never has room', async () => {
    for (let count = 0; count < 4; count += 1) await shop.placeOrder();
    const running = shop.dispatcher(temporal.client, shop.db, () => 0).run(shop.database);
    onTestFinished(() => running.stop());
    await expect.poll(states, { timeout: 20_000 }).toEqual(['delivered', 'delivered', 'delivered', 'delivered']);
  });

  it('tells Temporal whose share of the workers an order takes', async () => {
    const { orderId } = await shop.placeOrder();
    await drain();
    const [order] = await shop.db.select({ owner: orders.owner }).from(orders).where(eq(orders.id, orderId));
    const { raw } = await runOf(orderId).describe();
    expect(raw.workflowExecutionInfo?.priority?.fairnessKey).toBe(order?.owner);
  });

  it('starts a workflow once even if the record of its delivery is lost', async () => {
    const { orderId } = await shop.placeOrder();
    await shop.database.listener.unsafe(`
      create function lose() returns trigger language plpgsql as $$ begin raise 'lost'; end $$;
      create trigger lose before update of state on commands for each row execute function lose()`);
    await expect(drain()).rejects.toThrow(/commands/);
    await shop.database.listener`drop trigger lose on commands`;

    expect(await isRunning(orderId)).toBe(true);
    expect(await states()).toEqual(['pending']);
    const { runId } = await runOf(orderId).describe();
    await endLeases();
    expect((await drain()).delivered).toBe(1);
    expect(await states()).toEqual(['delivered']);
    expect((await runOf(orderId).describe()).runId).toBe(runId);
    expect(await shop.db.select().from(failures)).toEqual([]);
  });

  it('sets aside a command that cannot be delivered, opens a failure, and delivers the others', async () => {
    const broken = await shop.placeOrder();
    await shop.db
      .update(commands)
      .set({ body: { type: 'start_order', orderId: broken.orderId, generation: 'first' } })
      .where(eq(commands.workflowId, orderWorkflowId(broken.orderId)));
    const intact = await shop.placeOrder();
    expect((await drain()).delivered).toBeGreaterThanOrEqual(2);
    expect((await states()).slice(0, 2)).toEqual(['set_aside', 'delivered']);
    expect(await isRunning(intact.orderId)).toBe(true);
    expect(await shop.db.select().from(failures)).toMatchObject([
      { kind: 'command', status: 'open', errorType: 'poisoned_command', workflowId: orderWorkflowId(broken.orderId) },
    ]);
  });

  it('discards a command for an order that has ended', async () => {
    const orderId = await endedOrder();
    await shop.db.update(orders).set({ status: 'completed' });
    await enqueueUpdate(orderId, 'late');
    expect((await drain()).delivered).toBe(1);
    expect(await states()).toEqual(['delivered', 'discarded']);
    expect(await shop.db.select().from(failures)).toEqual([]);
  });

  it('reports a parcel whose order was cancelled while the message about it waited', async () => {
    const orderId = await endedOrder();
    await enqueueUpdate(orderId, 'late');
    await shop.db.update(orders).set({ status: 'cancelled' });
    await drain();
    expect(await shop.db.select().from(failures)).toMatchObject([{ kind: 'unexpected_shipment', status: 'open', orderId }]);
  });

  it('does not restart an order whose run has ended', async () => {
    const orderId = await endedOrder();
    await shop.db.update(commands).set({ state: 'pending' });
    await drain();
    expect(await states()).toEqual(['delivered']);
    expect(await isRunning(orderId)).toBe(false);
  });

  it('does not start a generation again whose run has failed before its start was recorded', async () => {
    const orderId = await endedOrder();
    await shop.db.update(orders).set({ status: 'failed' });
    await restartOrder.perform(shop, orderId, { reason: 'a new try' }, 'key:operator');
    await drain();
    const { runId } = await runOf(orderId).describe();
    await runOf(orderId).terminate('declined at once');
    await shop.db.update(commands).set({ state: 'pending', nextAttemptAt: sql`now()` });
    await drain();
    expect(await states()).toEqual(['delivered', 'delivered']);
    expect((await runOf(orderId).describe()).runId).toBe(runId);
  });

  it('starts the next generation of an order that has failed', async () => {
    const orderId = await endedOrder();
    await transaction(shop.db, (tx) =>
      enqueueCommand(tx, { type: 'start_order', orderId, generation: 2, amount: 1780, currency: 'EUR' }),
    );
    await drain();
    expect(await isRunning(orderId)).toBe(true);
  });
});

/** Places an order whose run is gone, as if its namespace was lost. @returns its id */
async function lostOrder(): Promise<string> {
  const { orderId } = await shop.placeOrder();
  await shop.db.delete(commands);
  return orderId;
}

/** Finishes the first workflow task of an order, as a worker would: a run can be reset to no earlier point. */
async function finishTask(orderId: string): Promise<void> {
  const { workflowService } = temporal.client;
  const { namespace } = temporal;
  const queue = { namespace, taskQueue: { name: TASK_QUEUES.orders }, identity: 'test' };
  // The queue also holds the tasks of other tests.
  for (let workflowId: string | null | undefined; workflowId !== orderWorkflowId(orderId); ) {
    const { taskToken, workflowExecution } = await workflowService.pollWorkflowTaskQueue(queue);
    await workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands: [], identity: 'test' });
    workflowId = workflowExecution?.workflowId;
  }
}

describe('a command for a live order whose run has ended', () => {
  it('waits, and is delivered once the run was reset', async () => {
    const { orderId } = await shop.placeOrder();
    await drain();
    await finishTask(orderId);
    await runOf(orderId).terminate('by a bug');
    await cancelOrder(shop.db, shop.caller, orderId, 'changed my mind');
    await drain();
    const [, waiting] = await shop.db.select().from(commands).orderBy(commands.id);
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1 });

    // As after a night of attempts. The reset overtakes it, and makes it due.
    const tonight = sql`now() + interval '5 minutes'`;
    await shop.db.update(commands).set({ nextAttemptAt: tonight }).where(eq(commands.state, 'pending'));
    const { failureId } = await openFailureOf(shop.db, { orderId, generation: 1 }, { kind: 'run', step: 'run' });
    await resetFailure.perform(shop, failureId, { reason: 'fixed' }, 'key:operator');
    await drain();
    expect(new Set(await states())).toEqual(new Set(['delivered']));
    expect(await signals(orderId)).toEqual(['cancelOrder']);
  });

  it('is discarded when the order was restarted since', async () => {
    const orderId = await endedOrder();
    await cancelOrder(shop.db, shop.caller, orderId, 'changed my mind');
    await shop.db.update(orders).set({ status: 'failed', cancellationStatus: 'done', cancellationSettledAt: sql`now()` });
    await restartOrder.perform(shop, orderId, { reason: 'a new try' }, 'key:operator');
    await drain();
    expect(await states()).toEqual(['delivered', 'discarded', 'delivered']);
    expect(await signals(orderId)).toEqual([]);
  });

  it.each([
    { type: 'resolve_failure', prepare: endedOrder, action: retryFailure, failure: {} },
    { type: 'reset_run', prepare: lostOrder, action: resetFailure, failure: { kind: 'run', step: 'run' } },
  ] as const)('reopens its failure if it is an operator\'s answer: $type', async ({ prepare, action, failure }) => {
    const orderId = await prepare();
    const { failureId } = await openFailureOf(shop.db, { orderId, generation: 1 }, failure);
    const read = () => shop.db.select().from(failures).where(eq(failures.id, failureId));
    await action.perform(shop, failureId, { reason: 'it is back' }, 'key:operator');
    await drain();
    expect(await states()).toContain('discarded');
    expect(await read()).toMatchObject([{ status: 'open', occurrence: 1 }]);
    await action.perform(shop, failureId, { reason: 'again' }, 'key:operator');
    expect(await read()).toMatchObject([{ status: 'retrying' }]);
  });
});

describe('commands that wait', () => {
  it('hold up no others, and back off by themselves', async () => {
    const ended = await Promise.all(Array.from({ length: 50 }, lostOrder));
    for (const orderId of ended) await enqueueUpdate(orderId, 'lost');
    await drain();
    const { orderId } = await shop.placeOrder();
    const before = Date.now();
    await shop.db.update(commands).set({ nextAttemptAt: sql`now()` });
    await drain();
    expect(await isRunning(orderId)).toBe(true);
    const waiting = await shop.db.select().from(commands).where(eq(commands.state, 'pending'));
    expect(waiting).toHaveLength(50);
    // A second, then twice as long: what a slow machine has tried more often waits for longer.
    for (const { attempts, nextAttemptAt } of waiting) {
      expect(attempts).toBeGreaterThanOrEqual(2);
      expect(nextAttemptAt.getTime()).toBeGreaterThanOrEqual(before + 1_000 * 2 ** (attempts - 1));
    }
  });
});

describe('while Temporal is unavailable', () => {
  it('keeps commands pending, and delivers them once Temporal is back', async () => {
    const [host = '', port] = temporal.address.split(':');
    const proxy = await startTcpProxy({ host, port: Number(port) });
    const connection = await NativeConnection.connect({ address: `127.0.0.1:${proxy.port}` });
    onTestFinished(async () => {
      await connection.close();
      await proxy.cut();
    });
    const client = new Client({ connection, namespace: temporal.namespace, dataConverter });
    await proxy.cut();

    const { orderId } = await shop.placeOrder();
    await enqueueUpdate(orderId, '1');
    const dispatcher = shop.dispatcher(client);
    expect(await client.withDeadline(Date.now() + 2_000, () => dispatcher.drain())).toEqual({ delivered: 0, away: true });
    expect(await states()).toEqual(['pending', 'pending']);
    expect(await shop.db.select().from(failures)).toEqual([]);

    await proxy.restore();
    await expect.poll(async () => {
      await dispatcher.drain();
      return states();
    }, { timeout: 20_000 }).toEqual(['delivered', 'delivered']);
    expect(await trackingNumbers(orderId)).toEqual(['1']);
  });
});

describe('a running dispatcher', () => {
  it('wakes up for a new command, and delivers nothing after it was stopped', async () => {
    const running = shop.dispatcher(temporal.client).run(shop.database);
    await expect
      .poll(async () => {
        const {
          rows: [row],
        } = await shop.db.execute<{ listening: number }>(
          sql`select count(*)::int as listening from pg_stat_activity
            where datname = current_database() and query ilike 'listen%holdfast_commands%'`,
        );
        return row?.listening;
      })
      .toBe(1);
    // Faster than its slow poll, so a notification must have woken it.
    const { orderId } = await shop.placeOrder();
    await expect.poll(states, { timeout: 4_000, interval: 20 }).toEqual(['delivered']);
    expect(await isRunning(orderId)).toBe(true);
    await running.stop();
    await shop.placeOrder();
    expect(await states()).toEqual(['delivered', 'pending']);
  });
});
