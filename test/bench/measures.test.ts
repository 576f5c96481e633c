import { afterAll, describe, expect, inject, it } from 'vitest';
import { runMeasure } from '../../bench/harness/run.ts';
import { cost } from '../../bench/measures/cost.ts';
import { drainMeasure } from '../../bench/measures/drain.ts';
import { latency } from '../../bench/measures/latency.ts';
import { intake } from '../../bench/measures/intake.ts';
import { findRedis } from '../../bench/peers/bullmq/redis.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

const out = await createTemporaryFolder();
afterAll(out.remove);
process.env['WORKFLOW_BUNDLE'] = inject('workflowBundlePath');
const place = { out: out.path, baseline: undefined, tell: () => {} };

describe('the bench, next to peers,', { timeout: 300_000 }, () => {
  it('counts what an order and a signup cost', async () => {
    const { tables } = await runMeasure(cost, { orders: 1, signups: 1, peer: 'none' }, place);
    const [temporal, postgres] = tables.map(({ rows }) => new Map(rows.map(([name, ...figures]) => [name, figures])));
    const anything = expect.any(Number);
    expect(temporal?.get('signals')).toEqual([2, 2]);
    expect(temporal?.get('workflow tasks')).not.toContain(0);
    expect(postgres?.get('other')).toEqual([0, 0, 0, 0]);
    expect(postgres?.get('all')).toEqual([anything, anything, anything, anything]);
    for (const part of ['API', 'dispatcher', 'activities', 'all']) expect(postgres?.get(part)).not.toContain(0);
  });

  it('measures the intake, and finds everything again', async () => {
    const peer = (await findRedis()) ? 'bullmq' : 'none';
    const { tables } = await runMeasure(intake, { signups: 10, orders: 10, clients: 2, rounds: 1, peer }, place);
    const sides = peer === 'bullmq' ? ['holdfast', 'bullmq'] : ['holdfast'];
    for (const { columns, rows } of tables.filter(({ title }) => title.includes('medians'))) {
      expect(rows.map(([side]) => side)).toEqual(sides);
      expect(rows.map((row) => row[columns.indexOf('lost')])).toEqual(sides.map(() => 0));
    }
  });

  it('completes orders on every side', async () => {
    const { tables } = await runMeasure(drainMeasure, { orders: 2, rounds: 1 }, place);
    const [figures] = tables;
    expect(figures?.rows.map(([side]) => side)).toEqual(['holdfast', 'plain', 'dbos', 'skeleton']);
    for (const [, ordersPerSecond] of figures?.rows ?? []) expect(ordersPerSecond).toBeGreaterThan(0);
  });

  it('measures how long an order takes', async () => {
    const { tables } = await runMeasure(latency, { orders: 2, rounds: 1, peer: 'none' }, place);
    const [, ...times] = tables[0]?.rows[0] ?? [];
    expect(times).toHaveLength(6);
    for (const time of times) expect(time).toBeGreaterThan(0);
  });
});
