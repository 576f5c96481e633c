import { setTimeout as sleep } from 'node:timers/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { inArray } from 'drizzle-orm';
import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { orders } from '../../src/db/schema.ts';
import { rotateApiKey } from '../../src/operate/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePort, localUrl } from '../../src/sandbox/ports.ts';
import { call, freshKey, newOrder } from '../api/support/api.ts';
import { useNamespace } from '../support/namespace.ts';
import { startApiProcess, startWorker } from '../support/service-process.ts';
import { useShop } from '../support/shop.ts';

const secret = (name: string) => `whsec_${Buffer.from(`the ${name} secret, only for tests`).toString('base64')}`;
const payloadKey = (id: string) => `${id}:${Buffer.alloc(32, id).toString('base64')}`;
const [first, second] = [payloadKey('first'), payloadKey('second')];

const temporal = await useNamespace();
const shop = await useShop();
const environment = { ...shop.environment, ...temporal.environment };

const statusesOf = async (ids: string[]) =>
  (await shop.db.select({ status: orders.status }).from(orders).where(inArray(orders.id, ids))).map(({ status }) => status);
async function haveStatus(ids: string[], status: string): Promise<void> {
  const others = async () => (await statusesOf(ids)).filter((one) => one !== status);
  await expect.poll(others, { timeout: 90_000, interval: 200 }).toEqual([]);
}

/** @returns whether the history of an order has payloads that are encrypted with a key */
async function uses(keyId: string, orderId: string): Promise<boolean> {
  const history = await temporal.client.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory();
  return historyToJSON(history).includes(`"encryption-key-id": "${Buffer.from(keyId).toString('base64')}"`);
}

it('refuses nothing while API key, webhook secret and payload key are rotated under load', { timeout: 300_000 }, async () => {
  const { id, key: oldKey } = await insertApiKey(shop.db, { name: 'web shop', role: 'customer' });
  let apiKey = oldKey;
  let signedWith = secret('old');

  /** Starts an API and a worker with other settings, and then stops those before them. */
  let url = '';
  let running: { stop(): Promise<number | null> }[] = [];
  async function deploy(settings: { PAYLOAD_KEYS: string; WAREHOUSE_WEBHOOK_SECRET: string }): Promise<void> {
    const port = await freePort();
    const before = running;
    running = await Promise.all([
      startApiProcess({ ...environment, ...settings, API_PORT: String(port) }),
      startWorker({ ...environment, ...settings }),
    ]);
    url = localUrl(port);
    // Clients that read the address before have sent their requests.
    await sleep(200);
    expect(await Promise.all(before.map((process) => process.stop()))).toEqual(before.map(() => 0));
  }

  const accepted: string[] = [];
  const refusals: unknown[] = [];
  const over = new AbortController();
  const note = ({ status, body }: { status: number; body: unknown }) => {
    if (status !== 202) refusals.push(body);
  };
  async function sendOrders(): Promise<void> {
    while (!over.signal.aborted) {
      const answer = await call({ url }, 'POST', '/v1/orders', { key: apiKey, body: newOrder(), headers: freshKey() });
      note(answer);
      accepted.push(answer.headers.get('Location')?.split('/').at(-1) ?? '');
      await sleep(200);
    }
  }
  async function sendWebhooks(): Promise<void> {
    for (let serial = 0; !over.signal.aborted; serial += 1) {
      const at = new Date();
      const text = JSON.stringify({ type: 'shipment.lost_and_found', timestamp: at.toISOString(), data: { reference: 'none' } });
      const headers = {
        'webhook-id': `event-${serial}`,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(signedWith).sign(`event-${serial}`, at, text),
      };
      note(await call({ url }, 'POST', '/v1/webhooks/warehouse', { text, headers }));
      await sleep(200);
    }
  }

  await deploy({ PAYLOAD_KEYS: first, WAREHOUSE_WEBHOOK_SECRET: secret('old') });
  const load = Promise.all([sendOrders(), sendWebhooks()]);
  // Everyone can read the new payload key before anyone writes with it.
  await deploy({ PAYLOAD_KEYS: `${first},${second}`, WAREHOUSE_WEBHOOK_SECRET: `${secret('new')},${secret('old')}` });
  ({ key: apiKey } = await rotateApiKey(shop.db, id, { overlap: 60_000 }, { actor: 'test', reason: 'Once a year.' }));
  signedWith = secret('new');
  await deploy({ PAYLOAD_KEYS: `${second},${first}`, WAREHOUSE_WEBHOOK_SECRET: secret('new') });
  // Some more with nothing but new secrets.
  const atRotation = accepted.length;
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(atRotation + 3);
  over.abort();
  await load;

  expect(refusals).toEqual([]);
  expect(accepted.length).toBeGreaterThan(10);
  await haveStatus(accepted, 'fulfilling');
  const [earliest = '', latest = ''] = [accepted[0], accepted.at(-1)];
  expect([await uses('first', earliest), await uses('second', latest), await uses('first', latest)]).toEqual([true, true, false]);
  // What one key has written is continued with the other.
  await shop.carrier(earliest, 'shipped');
  await haveStatus([earliest], 'shipped');
  await Promise.all(running.map((process) => process.stop()));
});

it('keeps running without a key that a run needs, says which one, and continues once it is there', { timeout: 180_000 }, async () => {
  const { orderId } = await shop.placeOrder();
  const before = await startWorker({ ...environment, PAYLOAD_KEYS: first });
  await haveStatus([orderId], 'fulfilling');
  expect(await before.stop()).toBe(0);

  let output = '';
  const without = await startWorker({ ...environment, PAYLOAD_KEYS: second }, (text) => {
    output += text;
  });
  await shop.carrier(orderId, 'shipped');
  await expect.poll(() => output, { timeout: 60_000 }).toContain('is encrypted with the key \\"first\\", which is not among PAYLOAD_KEYS');
  expect(await statusesOf([orderId])).toEqual(['fulfilling']);
  expect(await without.stop()).toBe(0);

  const after = await startWorker({ ...environment, PAYLOAD_KEYS: `${second},${first}` });
  await haveStatus([orderId], 'shipped');
  expect(await after.stop()).toBe(0);
});
