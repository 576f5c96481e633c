import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { ApplicationFailure, type Payload } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPayloadKeys } from '../../src/config.ts';
import { orderWorkflowId, type OrderRef } from '../../src/contracts/ids.ts';
import { SIGNALS } from '../../src/contracts/names.ts';
import { orders } from '../../src/db/schema.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { temporalBinary, temporalCli } from '../../src/sandbox/temporal-binaries.ts';
import { startTemporalServer, type TemporalServer } from '../../src/sandbox/temporal-server.ts';
import { createDataConverter } from '../../src/temporal/payloads/data-converter.ts';
import { describeRun } from '../../src/temporal/runs.ts';
import { checkHistories, readable, textOf } from '../support/histories.ts';
import { createNamespace } from '../support/namespace.ts';
import { dataConverter, PAYLOAD_KEYS } from '../support/payloads.ts';
import { createShop } from '../support/shop.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts';
import { startWorkers } from '../support/workers.ts';

/** ms */
const SOON = { timeout: 60_000, interval: 100 };

let folder: TemporaryFolder;
let server: TemporalServer;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  server = await startTemporalServer({
    binary: await temporalBinary(temporalCli),
    port: await freePort(),
    databaseFile: join(folder.path, 'temporal.db'),
    logFile: join(folder.path, 'temporal.log'),
  });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** @returns everything that Temporal has stored, as text */
async function database(): Promise<string> {
  const files = (await readdir(folder.path)).filter((file) => file.startsWith('temporal.db'));
  return (await Promise.all(files.map((file) => readFile(join(folder.path, file), 'latin1')))).join('');
}

/**
 * Runs two orders: one is sold out and fails, and the parcel of the other one cannot be sent yet. Whatever a person or a service
 * has written contains the word.
 * @returns where the word could be: in the histories, in what Temporal says about a run, and in its database
 */
async function play(word: string, keys: string) {
  const converter = createDataConverter(loadPayloadKeys({ PAYLOAD_KEYS: keys }));
  const { client, close, ...namespace } = await createNamespace(server.address, converter);
  const shop = await createShop();
  const soldOut = new Set<string>();
  const { reserveStock } = shop.activities();
  const stopWorkers = await startWorkers(shop, {
    ...namespace,
    dataConverter: converter,
    replaceActivities: () => ({
      async reserveStock(ref: OrderRef) {
        if (soldOut.has(ref.orderId)) throw ApplicationFailure.nonRetryable(`${word} is sold out`, 'out_of_stock');
        return await reserveStock(ref);
      },
      async requestShipment() {
        throw ApplicationFailure.retryable(`${word} is not at home`, 'warehouse_unavailable');
      },
    }),
  });
  const placeOrder = async () => (await shop.placeOrder({ customer: { name: word, email: `${word}@example.com` } })).orderId;
  const waiting = await placeOrder();
  const refused = await placeOrder();
  soldOut.add(refused);
  await shop.dispatcher(client).drain();

  const [run, ended] = [waiting, refused].map((id) => client.workflow.getHandle(orderWorkflowId(id)));
  if (!run || !ended) throw new Error('No runs.');
  await vi.waitFor(async () => {
    const pending = (await describeRun(client, run.workflowId))?.pendingActivities ?? [];
    expect(pending).toMatchObject([{ lastFailure: { type: 'warehouse_unavailable', message: `${word} is not at home` } }]);
  }, SOON);
  // Before the cancellation, which ends what is shown there.
  const { raw } = await run.describe();
  // Earlier versions sent reasons.
  await run.signal(SIGNALS.cancelOrder, { actor: 'customer', reason: `${word} says no` });
  await expect(ended.result()).rejects.toMatchObject({ cause: { type: 'out_of_stock', message: `${word} is sold out` } });

  const histories = [await run.fetchHistory(), await ended.fetchHistory()];
  const found = {
    histories: histories.map((history) => readable(historyToJSON(history))).join(''),
    description: Buffer.from(proto.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(raw).finish()).toString('latin1'),
    database: await database(),
  };
  await stopWorkers();
  await shop.close();
  await close();
  return { found, histories };
}

const placesOf = (word: string, found: Record<string, string>): string[] =>
  Object.entries(found).flatMap(([where, text]) => (text.includes(word) ? [where] : []));

describe('what people and services write', { timeout: 120_000 }, () => {
  it('is nowhere in Temporal, and can be read with the key', async () => {
    const { found, histories } = await play('Quetzalcoatl', PAYLOAD_KEYS);
    expect(placesOf('Quetzalcoatl', found)).toEqual([]);
    // The summaries of the run and of its charge.
    expect(found.histories).not.toContain('€17.80');
    const text = histories.map(textOf).join('');
    for (const written of ['Quetzalcoatl says no', 'Quetzalcoatl is not at home', 'Quetzalcoatl is sold out', 'charge €17.80']) {
      expect(text).toContain(written);
    }
  });

  it('is everywhere in Temporal without a key, so this search would find it', async () => {
    const { found } = await play('Ozymandias', 'none');
    expect(placesOf('Ozymandias', found)).toEqual(['histories', 'description', 'database']);
    for (const written of ['Ozymandias says no', 'Ozymandias is not at home', 'Ozymandias is sold out']) {
      expect(found.database).toContain(written);
    }
  });
});

describe('a run that was started without a key', () => {
  it('continues with one', { timeout: 120_000 }, async () => {
    const off = createDataConverter(loadPayloadKeys({ PAYLOAD_KEYS: 'none' }));
    const { client: before, close, ...namespace } = await createNamespace(server.address, off);
    const client = new Client({ connection: namespace.connection, namespace: namespace.name, dataConverter });
    const shop = await createShop();
    const stopEarlier = await startWorkers(shop, { ...namespace, dataConverter: off });
    const { orderId } = await shop.placeOrder();
    await shop.dispatcher(before).drain();
    await vi.waitFor(async () => expect((await shop.db.select().from(orders))[0]?.status).toBe('fulfilling'), SOON);
    await stopEarlier();

    const stopWorkers = await startWorkers(shop, namespace);
    await shop.carrier(orderId, 'delivered');
    await shop.dispatcher(client).drain();
    const run = client.workflow.getHandle(orderWorkflowId(orderId));
    expect(await run.result()).toEqual({ status: 'completed' });
    expect((await run.describe()).memo).toEqual({ generation: 1 });
    const history = await run.fetchHistory();
    const { events } = history;
    expect(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.map(isEncrypted)).toEqual([false]);
    const { workflowExecutionCompletedEventAttributes: completed } = events?.at(-1) ?? {};
    expect(completed?.result?.payloads?.map(isEncrypted)).toEqual([true]);
    await checkHistories([{ workflowId: run.workflowId, history, path: undefined }]);
    await stopWorkers();
    await shop.close();
    await close();
  });
});

const isEncrypted = ({ metadata }: Payload): boolean => Buffer.from(metadata?.['encoding'] ?? []).toString() === 'binary/encrypted';
