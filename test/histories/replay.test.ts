import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { readGoldenRuns } from './golden.ts';

// What a replay says of its worker is of no interest.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

const runs = await readGoldenRuns();

describe('the golden histories', () => {
  it('are there for each workflow of an order, a signup and an alert', () => {
    const kinds = runs.map(({ name }) => name.split('-')[0]);
    expect(new Set(kinds)).toEqual(new Set(['alert', 'order', 'signup']));
  });

  // Names the run, the event and the command that part.
  it('are what the workflow code at hand would do again', async () => {
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

  it.each(runs)('hold no personal data and nothing of the machine: $name', ({ json }) => {
    const text = readable(json);
    expect(text).toContain('"encoding":"json/plain"');
    expect(text).not.toMatch(/\b(Ada|Lovelace|Grace|Hopper|Dorset|pm_card_visa)\b|example\.com|holdfast\.example/i);
    expect(text).not.toMatch(/file:\/\/|node_modules|\/home\/|\/work\//);
  });
});

/** @returns a history with its payloads in the clear: in the file they are in Base64 */
const readable = (json: string): string =>
  JSON.stringify(
    JSON.parse(json, (key, value: unknown) =>
      typeof value === 'string' && (key === 'data' || key === 'encoding') ? Buffer.from(value, 'base64').toString() : value,
    ),
  );
