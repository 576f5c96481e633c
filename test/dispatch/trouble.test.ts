import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { Client, Connection } from '@temporalio/client';
import { eq, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bulkActionRequestSchema } from '../../src/contracts/bulk-actions.ts';
import { orderWorkflowId, resendWorkflowId } from '../../src/contracts/ids.ts';
import { bulkActionItems, commands, failures } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { runBulkActionBatch, startBulkAction } from '../../src/operate/bulk-actions.ts';
import { requeueFailure, retryFailure, settleFailure } from '../../src/operate/failures.ts';
import { enqueueCommand } from '../../src/records/commands.ts';
import { closeFailures } from '../../src/records/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { useNamespace } from '../support/namespace.ts';
import { dataConverter } from '../support/payloads.ts';
import { createShop, type Shop } from '../support/shop.ts';
import { startTemporalProxy } from '../support/temporal-proxy.ts';

const temporal = await useNamespace();
const proxy = await startTemporalProxy(temporal.address);
// Without the client's own retries, so that each attempt of the dispatcher is one call.
const connection = await Connection.connect({ address: proxy.address, interceptors: [] });
const client = new Client({ connection, namespace: temporal.namespace, dataConverter });
afterAll(async () => {
  await connection.close();
  proxy.close();
});

let shop: Shop;
beforeEach(async () => {
  shop = await createShop();
  proxy.failOn(() => undefined);
});
afterEach(() => shop.close());

const drain = () => shop.dispatcher(client).drain();
const all = () => shop.db.select().from(commands).orderBy(commands.id);
const states = async () => (await all()).map(({ state }) => state);
const makeDue = () => shop.db.update(commands).set({ nextAttemptAt: sql`now()` });

/** Makes the commands of a type unreadable. */
const spoil = (type: string) =>
  shop.db
    .update(commands)
    .set({ body: { type } })
    .where(eq(sql`${commands.body} ->> 'type'`, type));

/** @returns a promise, and what resolves it */
function gate(): { open: () => void; opened: Promise<unknown> } {
  const controller = new AbortController();
  return { open: () => controller.abort(), opened: once(controller.signal, 'abort') };
}

describe('while Temporal refuses everything', () => {
  it.each(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED'] as const)(
    'with %s, commands wait as they are, and are delivered afterwards',
    async (code) => {
      await shop.placeOrder();
      await shop.placeOrder();
      const before = await all();
      proxy.failOn(() => ({ code: status[code], details: 'not now' }));
      expect(await drain()).toEqual({ delivered: 0, away: true });
      expect(await all()).toEqual(before);
      expect(await shop.db.$count(failures)).toBe(0);
      proxy.failOn(() => undefined);
      expect(await drain()).toEqual({ delivered: 2, away: false });
    },
  );

  it('because the namespace does not exist, commands wait', async () => {
    await shop.placeOrder();
    const lost = new Client({ connection: temporal.connection, namespace: 'not-there' });
    expect(await shop.dispatcher(lost).drain()).toEqual({ delivered: 0, away: true });
    expect(await states()).toEqual(['pending']);
    expect(await shop.db.$count(failures)).toBe(0);
  });
});

describe('a command on which Temporal keeps failing', () => {
  it('is set aside after a number of attempts, while others are delivered', async () => {
    const { orderId } = await shop.placeOrder();
    proxy.failOn(({ about }) => (about.includes(orderId) ? { code: status.INTERNAL, details: 'cannot shard' } : undefined));
    await drain();
    expect(await all()).toMatchObject([{ state: 'pending', attempts: 1, lastError: expect.stringContaining('cannot shard') }]);
    await shop.placeOrder();
    expect(await drain()).toEqual({ delivered: 1, away: false });

    for (let attempts = 1; attempts < 20; attempts += 1) {
      await makeDue();
      await drain();
    }
    expect(await states()).toContain('set_aside');
    expect(await shop.db.select().from(failures)).toMatchObject([
      { kind: 'command', step: 'start_order', status: 'open', orderId, workflowId: orderWorkflowId(orderId), attempts: 14 },
    ]);
  });

  it('does not hold up others while it takes long', async () => {
    const { orderId } = await shop.placeOrder();
    const { open, opened } = gate();
    proxy.failOn(async ({ about }) => {
      if (about.includes(orderId)) await opened;
      return undefined;
    });
    const running = shop.dispatcher(client).run(shop.database);
    try {
      await expect.poll(async () => (await all())[0]?.attempts).toBe(1);
      await shop.placeOrder();
      await expect.poll(states).toEqual(['pending', 'delivered']);
      open();
      await expect.poll(states).toEqual(['delivered', 'delivered']);
    } finally {
      open();
      await running.stop();
    }
  });

  it('is left alone by a process that was frozen beyond its lease', async () => {
    const { orderId } = await shop.placeOrder();
    const { open, opened } = gate();
    const reached = gate();
    let calls = 0;
    proxy.failOn(async ({ about }) => {
      if (!about.includes(orderId) || (calls += 1) > 1) return undefined;
      reached.open();
      await opened;
      return { code: status.INVALID_ARGUMENT, details: 'too late to matter' };
    });
    const frozen = drain();
    await reached.opened;
    await makeDue();
    expect((await drain()).delivered).toBe(1);
    open();
    await frozen;
    expect(await states()).toEqual(['delivered']);
    expect(await shop.db.$count(failures)).toBe(0);
  });
});

describe('commands that are set aside', () => {
  it('are a failure each if they are for several workflows', async () => {
    await Promise.all([1, 2, 3].map(() => shop.placeOrder()));
    await spoil('start_order');
    await drain();
    expect(await shop.db.$count(failures)).toBe(3);
  });

  it('can be requeued, and close their failure once they are delivered', async () => {
    const { orderId } = await shop.placeOrder();
    proxy.failOn(() => ({ code: status.INVALID_ARGUMENT, details: 'payload too large' }));
    await drain();
    const read = () => shop.db.select().from(failures).where(eq(failures.orderId, orderId));
    const [failure] = await read();
    const requeue = () => requeueFailure.perform(shop, failure?.id ?? '', { reason: 'limit raised' }, 'key:operator');

    await requeue();
    await drain();
    expect(await read()).toMatchObject([{ status: 'open', occurrence: 2, errorMessage: expect.stringContaining('too large') }]);

    proxy.failOn(() => undefined);
    await requeue();
    await expect(requeue()).rejects.toMatchObject({ type: 'failure_not_open' });
    await drain();
    expect(await states()).toContain('delivered');
    expect(await read()).toMatchObject([{ status: 'resolved' }]);
  });

  it('open the failure of an email again, so that it can be asked for once more', async () => {
    const ref = await shop.placeOrder();
    await drain();
    const { failureId } = await openFailureOf(shop.db, ref, { kind: 'email', step: 'order_confirmed' });
    const retry = () => retryFailure.perform(shop, failureId, { reason: 'it is back' }, 'key:operator');
    const read = () => shop.db.select().from(failures).where(eq(failures.orderId, ref.orderId)).orderBy(failures.id);
    proxy.failOn(() => ({ code: status.INVALID_ARGUMENT, details: 'no' }));
    await retry();
    await drain();
    expect(await read()).toMatchObject([
      { kind: 'email', status: 'open', occurrence: 1 },
      { kind: 'command', status: 'open', step: 'resend_email' },
    ]);

    proxy.failOn(() => undefined);
    await retry();
    await drain();
    expect(await read()).toMatchObject([{ status: 'retrying' }, { kind: 'command' }]);
    const run = temporal.client.workflow.getHandle(resendWorkflowId({ failureId, occurrence: 1 }));
    expect(await run.describe()).toMatchObject({ type: 'resendEmail', status: { name: 'RUNNING' } });
  });

  it('give the items of a bulk cancel their result, and leave the order to be cancelled or retried', async () => {
    const ref = await shop.placeOrder();
    await drain();
    const { failureId } = await openFailureOf(shop.db, ref);
    const request = bulkActionRequestSchema.parse({ action: 'cancel', ids: [failureId], reason: 'given up' });
    const bulkActionId = await startBulkAction(shop.db, request, 'key:operator');
    await runBulkActionBatch(shop.db, bulkActionId, 5, () => {});
    const items = () => shop.db.select().from(bulkActionItems).where(eq(bulkActionItems.bulkActionId, bulkActionId));
    expect(await items()).toMatchObject([{ state: 'requested' }]);
    proxy.failOn(({ method }) => (method === 'SignalWorkflowExecution' ? { code: status.INVALID_ARGUMENT, details: 'no' } : undefined));
    await drain();
    const result = { state: 'failed_again', message: expect.stringContaining('could not be delivered') };
    expect(await items()).toMatchObject([result]);
    expect(await shop.db.select().from(failures).where(eq(failures.id, failureId))).toMatchObject([{ status: 'open' }]);

    // What comes of a retry that somebody else asks for is not its result.
    proxy.failOn(() => undefined);
    await retryFailure.perform(shop, failureId, { reason: 'it is back' }, 'key:operator');
    await drain();
    await transaction(shop.db, (tx) => closeFailures(tx, ref, 'steps', 'resolved', 'done'));
    expect(await items()).toMatchObject([result]);
  });

  it('are discarded when their failure is settled', async () => {
    const { orderId } = await shop.placeOrder();
    await spoil('start_order');
    await drain();
    const [failure] = await shop.db.select().from(failures).where(eq(failures.orderId, orderId));
    await settleFailure.perform(shop, failure?.id ?? '', { reason: 'not wanted' }, 'key:operator');
    expect(await states()).toContain('discarded');
    expect(await states()).not.toContain('set_aside');
  });

  it('let the later commands of their workflow pass', async () => {
    const { orderId } = await shop.placeOrder();
    await drain();
    const message = { generation: 1, type: 'shipped', carrier: 'Parcel Post' } as const;
    for (const trackingNumber of ['1', '2']) {
      await transaction(shop.db, (tx) =>
        enqueueCommand(tx, { type: 'update_shipment', orderId, message: { ...message, trackingNumber } }),
      );
    }
    let signals = 0;
    proxy.failOn(({ method }) =>
      method === 'SignalWorkflowExecution' && (signals += 1) === 1 ? { code: status.INVALID_ARGUMENT, details: 'no' } : undefined,
    );
    await drain();
    expect(await states()).toEqual(expect.arrayContaining(['delivered', 'set_aside', 'delivered']));
  });
});
