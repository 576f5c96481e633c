import { afterAll, describe, expect, inject, it } from 'vitest';
import { runMeasure } from '../../bench/harness/run.ts';
import { bulk } from '../../bench/measures/bulk.ts';
import { busyIntake } from '../../bench/measures/busy-intake.ts';
import { fairness } from '../../bench/measures/fairness.ts';
import { recovery } from '../../bench/measures/recovery.ts';
import { scale } from '../../bench/measures/scale.ts';
import { waiting } from '../../bench/measures/waiting.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

const out = await createTemporaryFolder();
afterAll(out.remove);
process.env['WORKFLOW_BUNDLE'] = inject('workflowBundlePath');
const place = { out: out.path, baseline: undefined, tell: () => {} };

// Each starts a stack of its own, several times: two minutes in all. The nightly run has them: BENCH_MEASURES=all.
describe.skipIf(process.env['BENCH_MEASURES'] !== 'all')('the bench, without peers,', { timeout: 300_000 }, () => {
  it('accepts orders while the worker works', async () => {
    const { tables } = await runMeasure(busyIntake, { orders: 4, rate: 20, rounds: 1 }, place);
    expect(tables[0]?.rows.map(([name]) => name)).toEqual(['worker stopped', 'worker busy']);
  });

  it('measures the orders of one key behind a burst of another', async () => {
    const { tables } = await runMeasure(fairness, { burst: 4, orders: 2 }, place);
    expect(tables[0]?.rows.map(([name]) => name)).toEqual(['alone', 'behind a burst of 4 of another key']);
  });

  it('wakes every signup that waits', async () => {
    const { tables } = await runMeasure(waiting, { signups: 4, reminder: 15 }, place);
    expect(tables[0]?.rows).toContainEqual(['lost', 0]);
  });

  it('retries parked orders in bulk', async () => {
    const { tables } = await runMeasure(bulk, { orders: 2, rate: 100 }, place);
    expect(tables[0]?.rows).toHaveLength(2);
  });

  it('recovers from the death of a worker', async () => {
    const { tables } = await runMeasure(recovery, { orders: 2, rounds: 1 }, place);
    expect(tables[0]?.rows).toHaveLength(3);
  });

  it('adds workers', async () => {
    const { tables } = await runMeasure(scale, { orders: 2, workers: 2 }, place);
    expect(tables[0]?.rows.map(([workers]) => workers)).toEqual([1, 2]);
  });
});
