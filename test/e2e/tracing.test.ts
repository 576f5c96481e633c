import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { freePort, localUrl } from '../../src/sandbox/ports.ts';
import { call, freshKey, newOrder, WEBHOOK_SECRET } from '../api/support/api.ts';
import { checkHistories } from '../support/histories.ts';
import { useNamespace } from '../support/namespace.ts';
import { startApiProcess, startWorker } from '../support/service-process.ts';
import { createShop, type Shop } from '../support/shop.ts';
import { startCollector, type CollectedSpan } from './support/collector.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

const temporal = await useNamespace();
let shop: Shop;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());

/** Starts an API and a worker. @returns the packages that each has loaded, when they have ended */
async function startProcesses(variables: Record<string, string> = {}) {
  const port = await freePort();
  const environment = {
    ...shop.environment,
    ...temporal.environment,
    WAREHOUSE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    API_PORT: String(port),
    NODE_OPTIONS: '--import=./test/support/loaded-packages.js',
    ...variables,
  };
  let output = '';
  const keep = (text: string) => {
    output += text;
  };
  const api = await startApiProcess(environment, keep);
  const worker = await startWorker(environment, keep);
  return {
    url: localUrl(port),
    end: async (): Promise<string[][]> => {
      const codes = [await api.stop(), await worker.stop()];
      if (codes.some((code) => code !== 0)) throw new Error(`They ended with ${codes.join(', ')}.`);
      return [...output.matchAll(/^loaded packages: (.*)$/gm)].map(([, names = '']) => names.split(' '));
    },
  };
}

const ofOpenTelemetry = (packages: string[]) => packages.filter((name) => /^@opentelemetry\/(sdk|exporter)-/.test(name));

describe('with a collector', () => {
  let spans: CollectedSpan[];
  let received: string;
  let orderId: string;
  let packages: string[][];
  beforeAll(async () => {
    const collector = await startCollector();
    const { url, end } = await startProcesses({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const { key } = await insertApiKey(shop.db, { name: 'web shop', role: 'customer' });
    const headers = { ...freshKey(), traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=Lovelace' };
    const answer = await call({ url }, 'POST', '/v1/orders', { key, body: newOrder(), headers });
    orderId = answer.headers.get('Location')?.split('/').at(-1) ?? '';
    await call({ url }, 'GET', '/v1/signups/ada@example.com?name=Lovelace', { key });
    const order = async () => (await call({ url }, 'GET', `/v1/orders/${orderId}`, { key })).body;
    await vi.waitUntil(async () => JSON.stringify(await order()).includes('"status":"fulfilling"'), { timeout: 45_000, interval: 200 });
    await vi.waitUntil(() => shop.inbox.messages().length === 1, { timeout: 20_000 });
    packages = await end();
    await collector.close();
    ({ spans } = collector);
    received = collector.received();
  }, 120_000);

  it('an order is one trace, from the request of its caller to the calls to other services', () => {
    const trace = spans.filter(({ traceId }) => traceId === TRACE);
    const parentOf = ({ parentSpanId }: CollectedSpan) => trace.find(({ spanId }) => spanId === parentSpanId)?.name ?? parentSpanId;
    const edges = trace.map((span) => `${parentOf(span)} > ${span.name}`);
    expect(edges).toEqual(
      expect.arrayContaining([
        `${CALLER} > POST /v1/orders`,
        'POST /v1/orders > deliver start_order',
        'deliver start_order > activity reserveStock',
        'deliver start_order > activity chargePayment',
        'activity chargePayment > payment createIntent',
        'activity chargePayment > payment confirmIntent',
        'deliver start_order > activity requestShipment',
        'activity requestShipment > warehouse requestShipment',
        'deliver start_order > activity sendOrderEmail',
        'activity sendOrderEmail > email send',
      ]),
    );
    expect(new Set(trace.map(({ service }) => service))).toEqual(new Set(['holdfast-api', 'holdfast-worker']));
    expect(trace.find(({ name }) => name === 'activity chargePayment')?.attributes).toMatchObject({
      'holdfast.workflow': orderWorkflowId(orderId),
      'holdfast.attempt': 1,
    });
  });

  it('spans hold no personal data, and nothing of the host', () => {
    expect(spans.map(({ name }) => name)).toContain('GET /v1/signups/:id');
    expect(received).not.toMatch(/ada@|Lovelace|London|pm_card|host\.name|process\./);
  });

  it('the history of the order replays', async () => {
    const workflowId = orderWorkflowId(orderId);
    const run = temporal.client.workflow.getHandle(workflowId);
    expect((await run.describe()).memo).toMatchObject({ traceparent: expect.stringMatching(`^00-${TRACE}-`) });
    await checkHistories([{ workflowId, history: await run.fetchHistory(), path: undefined }]);
  });

  it('the packages for it are loaded', () => {
    expect(packages.map(ofOpenTelemetry)).toEqual([expect.arrayContaining(['@opentelemetry/sdk-trace-node']), expect.anything()]);
  });
});

describe('without a collector', () => {
  it('none of the packages for it is loaded', { timeout: 90_000 }, async () => {
    const { end } = await startProcesses();
    const packages = await end();
    expect(packages.map((names) => names.includes('pg'))).toEqual([true, true]);
    expect(packages.map(ofOpenTelemetry)).toEqual([[], []]);
  });
});
