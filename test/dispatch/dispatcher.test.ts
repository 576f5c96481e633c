import { eq, sql } from 'drizzle-orm';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadWorkerConfig, orderPolicy, signupPolicy } from '../../src/config.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { commands, failures } from '../../src/db/schema.ts';
import { enqueueCommand } from '../../src/records/commands.ts';
import { createDispatcher, type Dispatcher } from '../../src/dispatch/dispatcher.ts';
import { createLogger } from '../../src/log.ts';
import { startTcpProxy } from '../api/support/tcp-proxy.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { createShop, type Shop } from '../support/shop.ts';

let temporal: TestNamespace;
let shop: Shop;
beforeAll(async () => {
  temporal = await createNamespace();
});
afterAll(() => temporal.close());
beforeEach(async () => {
  shop = await createShop();
});
afterEach(() => shop.close());

function dispatcherOf(options: { client?: Client; db?: Shop['db'] } = {}): Dispatcher {
  const config = loadWorkerConfig(shop.environment);
  return createDispatcher({
    db: shop.db,
    client: temporal.client,
    log: createLogger('test', 'fatal'),
    policies: { order: orderPolicy(config), signup: signupPolicy(config), alertDigestEvery: config.ALERT_DIGEST_EVERY },
    eagerStart: false,
    ...options,
  });
}

const carrierSays = (orderId: string, trackingNumber: string) =>
  shop.db.transaction((tx) =>
    enqueueCommand(tx, {
      type: 'update_shipment',
      orderId,
      message: { generation: 1, type: 'shipped', carrier: 'Parcel Post', trackingNumber },
    }),
  );

const states = async () =>
  (await shop.db.select({ state: commands.state }).from(commands).orderBy(commands.id)).map(({ state }) => state);

const isOpen = (orderId: string): Promise<boolean> =>
  temporal.client.workflow
    .getHandle(orderWorkflowId(orderId))
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      },
    );

/** @returns the tracking numbers that an order was signalled with, in order */
async function signalled(orderId: string): Promise<unknown[]> {
  const { events } = await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
    const [payload] = signal?.input?.payloads ?? [];
    if (!payload?.data) return [];
    const message: unknown = JSON.parse(Buffer.from(payload.data).toString());
    return [typeof message === 'object' && message !== null && 'trackingNumber' in message ? message.trackingNumber : message];
  });
}

describe('delivering', () => {
  it('keeps the commands of a workflow in order, with several dispatchers at once', async () => {
    const orders = await Promise.all(Array.from({ length: 4 }, () => shop.placeOrder()));
    const numbers = Array.from({ length: 8 }, (_, index) => String(index));
    for (const number of numbers) for (const { orderId } of orders) await carrierSays(orderId, number);
    const pools = Array.from({ length: 3 }, (_, index) =>
      connectDatabase(shop.environment.DATABASE_URL, { max: 2, name: `dispatcher-${index}` }),
    );
    try {
      const dispatchers = pools.map(({ db }) => dispatcherOf({ db }));
      await expect
        .poll(async () => {
          await Promise.all(dispatchers.map((dispatcher) => dispatcher.drain()));
          return [...new Set(await states())];
        }, { timeout: 20_000 })
        .toEqual(['delivered']);
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
    for (const { orderId } of orders) expect(await signalled(orderId)).toEqual(numbers);
  });

  it('starts a workflow once although the note of its delivery is lost', async () => {
    const { orderId } = await shop.placeOrder();
    await shop.database.listener.unsafe(`
      create function lose() returns trigger language plpgsql as $$ begin raise 'lost'; end $$;
      create trigger lose before update on commands for each row execute function lose()`);
    await expect(dispatcherOf().drain()).rejects.toThrow(/commands/);
    await shop.database.listener`drop trigger lose on commands`;

    expect(await isOpen(orderId)).toBe(true);
    expect(await states()).toEqual(['pending']);
    const { runId } = await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).describe();
    expect((await dispatcherOf().drain()).delivered).toBe(1);
    expect(await states()).toEqual(['delivered']);
    expect((await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).describe()).runId).toBe(runId);
    expect(await shop.db.select().from(failures)).toEqual([]);
  });

  it('sets aside a command that cannot be delivered, tells of it, and goes on with the others', async () => {
    const broken = await shop.placeOrder();
    await shop.db
      .update(commands)
      .set({ body: { type: 'start_order', orderId: broken.orderId, generation: 'first' } })
      .where(eq(commands.workflowId, orderWorkflowId(broken.orderId)));
    const sound = await shop.placeOrder();
    expect((await dispatcherOf().drain()).delivered).toBeGreaterThanOrEqual(2);
    expect((await states()).slice(0, 2)).toEqual(['set_aside', 'delivered']);
    expect(await isOpen(sound.orderId)).toBe(true);
    expect(await shop.db.select().from(failures)).toMatchObject([
      { kind: 'command', status: 'open', errorType: 'poisoned_command', workflowId: orderWorkflowId(broken.orderId) },
    ]);
  });

  it('discards what it is to tell a run that has ended', async () => {
    const { orderId } = await shop.placeOrder();
    await dispatcherOf().drain();
    await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).terminate('for the test');
    await carrierSays(orderId, 'late');
    expect((await dispatcherOf().drain()).delivered).toBe(1);
    expect(await states()).toEqual(['delivered', 'discarded']);
    expect(await shop.db.select().from(failures)).toEqual([]);
  });

  it('does not start an order again whose run has ended', async () => {
    const { orderId } = await shop.placeOrder();
    await dispatcherOf().drain();
    await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).terminate('for the test');
    await shop.db.update(commands).set({ state: 'pending' });
    await dispatcherOf().drain();
    expect(await states()).toEqual(['delivered']);
    expect(await isOpen(orderId)).toBe(false);
  });

  it('starts the next generation of an order that ended badly', async () => {
    const { orderId } = await shop.placeOrder();
    await dispatcherOf().drain();
    await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).terminate('for the test');
    await shop.db.transaction((tx) =>
      enqueueCommand(tx, { type: 'start_order', orderId, generation: 2, amount: 1780, currency: 'EUR' }),
    );
    await dispatcherOf().drain();
    expect(await isOpen(orderId)).toBe(true);
  });
});

describe('while Temporal is away', () => {
  it('commands wait, and are delivered when it is back', async () => {
    const [host = '', port] = temporal.address.split(':');
    const proxy = await startTcpProxy({ host, port: Number(port) });
    const connection = await NativeConnection.connect({ address: `127.0.0.1:${proxy.port}` });
    onTestFinished(async () => {
      await connection.close();
      await proxy.cut();
    });
    const client = new Client({ connection, namespace: temporal.namespace });
    await proxy.cut();

    const { orderId } = await shop.placeOrder();
    await carrierSays(orderId, '1');
    const dispatcher = dispatcherOf({ client });
    expect(await client.withDeadline(Date.now() + 2_000, () => dispatcher.drain())).toEqual({ delivered: 0, away: true });
    expect(await states()).toEqual(['pending', 'pending']);
    expect(await shop.db.select().from(failures)).toEqual([]);

    await proxy.restore();
    await expect.poll(async () => {
      await dispatcher.drain();
      return states();
    }, { timeout: 20_000 }).toEqual(['delivered', 'delivered']);
    expect(await signalled(orderId)).toEqual(['1']);
  });
});

describe('a running dispatcher', () => {
  it('is woken by a command, and stops when it is told to', async () => {
    const running = dispatcherOf().run(shop.database);
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
    // Less than its slow poll: only a notification can be that fast.
    const { orderId } = await shop.placeOrder();
    await expect.poll(states, { timeout: 4_000, interval: 20 }).toEqual(['delivered']);
    expect(await isOpen(orderId)).toBe(true);
    await running.stop();
    await shop.placeOrder();
    expect(await states()).toEqual(['delivered', 'pending']);
  });
});
