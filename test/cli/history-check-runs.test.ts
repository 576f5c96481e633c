import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { runCommand, TIME_FOR_COMMANDS } from '../support/command.ts';
import { readable } from '../support/histories.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';
import { dataConverter } from '../support/payloads.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });

vi.setConfig({ testTimeout: TIME_FOR_COMMANDS });

let folder: string;
let namespace: TestNamespace;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-history-check-'));
  namespace = await createNamespace();
  await runSome();
});
afterAll(async () => {
  await namespace.close();
  await rm(folder, { recursive: true, force: true });
});

const historyCheck = (...args: string[]) =>
  runCommand('src/cli/history-check.ts', args, {
    ...namespace.environment,
    WORKFLOW_BUNDLE: inject('workflowBundlePath'),
  });

/** Starts two runs of a workflow, one with an address in its memo. No worker performs their activity. */
async function runSome(): Promise<void> {
  const { client, connection, name } = namespace;
  const worker = await Worker.create({
    connection,
    namespace: name,
    dataConverter,
    taskQueue: 'replay',
    workflowBundle: { codePath: inject('workflowBundlePath') },
  });
  const common = { taskQueue: 'replay', args: [{ timeZone: 'Europe/Berlin' }] };
  await worker.runUntil(async () => {
    await client.workflow.start('weeklyReport', { ...common, workflowId: 'report/clean' });
    await client.workflow.start('weeklyReport', { ...common, workflowId: 'report/personal', memo: { for: 'ada@example.com' } });
    for (const workflowId of ['report/clean', 'report/personal']) {
      await vi.waitFor(
        async () => {
          const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
          expect(events?.some((event) => event.activityTaskScheduledEventAttributes)).toBe(true);
        },
        { timeout: 20_000, interval: 100 },
      );
    }
  });
  await vi.waitFor(async () => expect((await client.workflow.count()).count).toBe(2), { timeout: 20_000, interval: 100 });
}

describe('history-check of runs', () => {
  it('checks one run, and exits with 3 when it does not exist', async () => {
    const [found, missing] = await Promise.all([
      historyCheck('--workflow-id', 'report/clean', '--json'),
      historyCheck('--workflow-id', 'report/none'),
    ]);
    expect(found.code).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({ total: 1, same: 1, runs: [{ workflowId: 'report/clean', outcome: 'same' }] });
    expect(missing.code).toBe(3);
  });

  it('names a key that is missing, and does not call that a divergence', async () => {
    const PAYLOAD_KEYS = `other:${Buffer.alloc(32).toString('base64')}`;
    const environment = { ...namespace.environment, WORKFLOW_BUNDLE: inject('workflowBundlePath'), PAYLOAD_KEYS };
    const { code, stdout, stderr } = await runCommand('src/cli/history-check.ts', ['--workflow-id', 'report/clean'], environment);
    expect(stderr).toContain('the key "test"');
    expect(stdout).not.toContain('diverge');
    expect(code).toBe(1);
  });

  it('checks the runs of a query, up to the limit', async () => {
    const query = ['--query', 'WorkflowType="weeklyReport"'];
    const [all, one, none] = await Promise.all([
      historyCheck(...query),
      historyCheck(...query, '--limit', '1'),
      historyCheck('--query', 'WorkflowType="nothing"'),
    ]);
    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining('2 of 2 replay.') });
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 replay.') });
    expect(none.code).toBe(3);
  });

  it('records a golden history, once, and never one with personal data', async () => {
    const into = ['--record', '--dir', folder];
    const recorded = await historyCheck('--workflow-id', 'report/clean', ...into, '--name', 'Report started');
    expect(recorded).toMatchObject({ code: 0, stdout: expect.stringContaining('report-started.json') });
    const text = await readFile(join(folder, 'report-started.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ workflowId: 'report/clean', events: expect.any(Array) });
    expect(text).not.toContain('"identity"');
    // The run is encrypted in Temporal.
    expect(readable(text)).toContain('Europe/Berlin');

    const [again, personal, checked] = await Promise.all([
      historyCheck('--workflow-id', 'report/clean', ...into, '--name', 'Report started'),
      historyCheck('--workflow-id', 'report/personal', ...into),
      historyCheck('--dir', folder),
    ]);
    expect(again.code).not.toBe(0);
    expect(personal).toMatchObject({ code: 3, stderr: expect.stringContaining('an email address') });
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 replay.') });
  });
});
