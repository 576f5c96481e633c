import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { emails } from '../../src/db/schema.ts';
import { freePorts, localUrl } from '../../src/sandbox/ports.ts';
import { call, freshKey, newOrder } from '../api/support/api.ts';
import { openFailureOf } from '../support/failures.ts';
import { useNamespace } from '../support/namespace.ts';
import { startStack, type Stack } from '../support/stack.ts';

const temporal = await useNamespace();
const [workerPort = 0, sdkPort = 0] = await freePorts(2);

let stack: Stack;
/** What Prometheus reads from the API, the worker and the SDK in it. */
let samples: Sample[];

beforeAll(async () => {
  stack = await startStack({
    ...temporal.environment,
    METRICS_PORT: String(workerPort),
    TEMPORAL_METRICS_PORT: String(sdkPort),
  });
  const { key } = stack.keys.customer;
  const { headers } = await call(stack, 'POST', '/v1/orders', { key, body: newOrder(), headers: freshKey() });
  const location = headers.get('Location') ?? '';
  await call(stack, 'GET', location, { key });
  await call(stack, 'GET', '/not-there');
  // The last email, that the parcel has arrived, is sent after everything else.
  // Once it is recorded, the call that has sent it is counted.
  await vi.waitUntil(async () => (await stack.db.$count(emails)) === 3, { timeout: 45_000 });
  await openFailureOf(stack.db, { orderId: location.split('/').at(-1) ?? '', generation: 1 });
  samples = (await Promise.all([stack.metricsUrl ?? '', localUrl(workerPort, '/metrics'), localUrl(sdkPort, '/metrics')].map(scrape))).flat();
}, 120_000);
afterAll(() => stack.close());

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(url);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

/** The value of the first sample with these labels. */
const valueOf = (name: string, labels: Record<string, string> = {}) =>
  samples.find((sample) => sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text))?.value;

describe('the metrics', () => {
  it('count requests by route, and never name an order', () => {
    const route = { method: 'POST', route: '/v1/orders', status: '202' };
    expect(valueOf('holdfast_http_request_duration_seconds_count', route)).toBe(1);
    expect(valueOf('holdfast_http_request_duration_seconds_count', { route: '/v1/orders/:id', status: '200' })).toBeGreaterThan(0);
    expect(valueOf('holdfast_http_request_duration_seconds_count', { status: '404' })).toBe(1);
    const ours = samples.filter(({ name }) => name.startsWith('holdfast_'));
    const texts = new Set(ours.flatMap(({ labels }) => Object.values(labels)));
    expect([...texts].filter((text) => /[0-9a-f]{8}-[0-9a-f]{4}|not-there|ada@|Lovelace/.test(text))).toEqual([]);
  });

  it('show the state of the shop', () => {
    expect(valueOf('holdfast_postgres_up')).toBe(1);
    expect(valueOf('holdfast_orders', { status: 'completed' })).toBe(1);
    expect(valueOf('holdfast_failures_open', { kind: 'step' })).toBe(1);
    expect(valueOf('holdfast_commands_waiting')).toBeGreaterThanOrEqual(0);
    expect(valueOf('holdfast_commands_settled_total', { state: 'delivered' })).toBeGreaterThanOrEqual(3);
  });

  it('count the attempts of activities and the calls to other services', () => {
    expect(valueOf('holdfast_activity_attempt_duration_seconds_count', { activity: 'chargePayment', error_type: '' })).toBe(1);
    expect(valueOf('holdfast_outside_call_duration_seconds_count', { service: 'payment', operation: 'confirmIntent', outcome: 'ok' })).toBe(1);
    expect(valueOf('holdfast_outside_call_duration_seconds_count', { service: 'warehouse', outcome: 'ok' })).toBe(1);
    expect(valueOf('holdfast_outside_call_duration_seconds_count', { service: 'email', operation: 'send', outcome: 'ok' })).toBe(3);
  });

  it('show how connections are used', () => {
    expect(valueOf('holdfast_postgres_connections', { state: 'idle' })).toBeGreaterThan(0);
    expect(valueOf('holdfast_postgres_connections_max')).toBe(20);
    expect(valueOf('holdfast_postgres_waiting')).toBe(0);
  });

  it('count the event streams that are open', async () => {
    const { key } = stack.keys.customer;
    const dear = { ...newOrder(), items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] };
    const { headers } = await call(stack, 'POST', '/v1/orders', { key, body: dear, headers: freshKey() });
    const open = async () => (await scrape(stack.metricsUrl ?? '')).find(({ name }) => name === 'holdfast_event_streams')?.value;
    expect(await open()).toBe(0);

    const closing = new AbortController();
    const url = `${stack.url}${headers.get('Location')}/events`;
    const stream = await fetch(url, { headers: { Authorization: `Bearer ${key}` }, signal: closing.signal });
    expect(stream.status).toBe(200);
    await expect.poll(open).toBe(1);
    closing.abort();
    await expect.poll(open).toBe(0);
  });

  it('are described in the documentation, all of them and no others', async () => {
    const text = await readProject('docs/operations.md');
    const described = new Set([...text.matchAll(/`(holdfast_\w+)/g)].map(([, name]) => name));
    const families = samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')).filter((name) => name.startsWith('holdfast_'));
    expect(described).toEqual(new Set(families));
  });
});

const readProject = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

const rulesFile = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })),
});
const board = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});

const ALERTS_FILE = 'deploy/prometheus/alerts.yml';
const { groups } = rulesFile.parse(parse(await readProject(ALERTS_FILE)));
const { panels } = board.parse(JSON.parse(await readProject('deploy/grafana/holdfast.json')));
const expressions: [string, string][] = [
  ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr])),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr.replaceAll('$__rate_interval', '5m')])),
];

/** Names that an expression uses: of metrics, and of labels. */
function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.configure({ strict: true }).parse(expression).iterate({
    enter({ type, from, to, node }) {
      const text = expression.slice(from, to);
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') metrics.push(text);
      if (type.name === 'LabelName') labels.push(text);
    },
  });
  return { metrics, labels };
}

describe('the alerts and the board', () => {
  it.each(expressions)('ask only for what exists: %s', (_title, expression) => {
    const { metrics, labels } = namesIn(expression);
    expect(metrics).not.toEqual([]);
    // Prometheus itself adds these.
    const known = new Set(['up', ...samples.map(({ name }) => name)]);
    expect(metrics.filter((name) => !known.has(name))).toEqual([]);
    const used = samples.filter(({ name }) => metrics.includes(name)).flatMap((sample) => Object.keys(sample.labels));
    const attached = new Set(['job', 'instance', ...used]);
    expect(labels.filter((label) => !attached.has(label))).toEqual([]);
  });

  it('are valid rules for Prometheus', async () => {
    const file = fileURLToPath(new URL(`../../${ALERTS_FILE}`, import.meta.url));
    const { stdout } = await promisify(execFile)('promtool', ['check', 'rules', file]);
    expect(stdout).toContain(`${groups.flatMap(({ rules }) => rules).length} rules found`);
  });

  it('wake somebody when commands are not delivered, and not while they are', async () => {
    const file = fileURLToPath(new URL('alerts.yml', import.meta.url));
    const { stdout } = await promisify(execFile)('promtool', ['test', 'rules', file]);
    expect(stdout).toContain('SUCCESS');
  });
});
