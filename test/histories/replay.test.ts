import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { readable } from '../support/histories.ts';
import { readGoldenRuns } from './golden.ts';

// The worker's own log lines during a replay are noise.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

const runs = await readGoldenRuns();

describe('the golden histories', () => {
  it('exist for orders, refunds, emails, signups, alerts, bulk actions and pruning', () => {
    const kinds = runs.map(({ name }) => name.split('-')[0]);
    expect(new Set(kinds)).toEqual(new Set(['alert', 'bulk', 'email', 'order', 'prune', 'refund', 'signup']));
  });

  // A failure names the run, the event and the command that differ.
  it('replay with the current workflow code', async () => {
    const replays = Worker.runReplayHistories({ workflowBundle: { codePath: inject('workflowBundlePath') } }, runs);
    const replayed: string[] = [];
    const broken: string[] = [];
    for await (const { workflowId, error } of replays) {
      replayed.push(workflowId);
      const run = runs.find((candidate) => candidate.workflowId === workflowId);
      if (error) broken.push(`${run?.name ?? workflowId}: ${error.message}`);
    }
    expect(broken).toEqual([]);
    expect(replayed).toHaveLength(runs.length);
  });

  it.each(runs)('contain no personal data and no path of a machine: $name', ({ json }) => {
    const text = readable(json);
    expect(text).toContain('"encoding":"json/plain"');
    expect(text).not.toMatch(/\b(Ada|Lovelace|Grace|Hopper|Dorset|pm_card_visa)\b|example\.com|holdfast\.example/i);
    expect(text).not.toMatch(/file:\/\/|node_modules|\/home\/|\/work\//);
  });
});
