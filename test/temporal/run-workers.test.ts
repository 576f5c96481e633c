import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { runWorkers } from '../../src/temporal/run-workers.ts';
import { runCommand } from '../support/command.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';

const { connection, namespace, environment } = await useNamespace();
const shop = await useShop();

const createWorker = (taskQueue: string) =>
  Worker.create({ connection, namespace, taskQueue, activities: { nothing: () => Promise.resolve() } });

describe('a process with several workers', () => {
  it('stops all of them, and then fails, when one fails', async () => {
    const ended = await createWorker('ended');
    await ended.runUntil(Promise.resolve());
    const [first, last] = await Promise.all([createWorker('first'), createWorker('last')]);
    // A worker cannot run a second time.
    await expect(runWorkers([first, ended, last])).rejects.toThrow('already started');
    expect([first.getState(), last.getState()]).toEqual(['STOPPED', 'STOPPED']);
  });

  it('ends without an error when all have been stopped', async () => {
    const worker = await createWorker('stopped');
    const running = runWorkers([worker]);
    worker.shutdown();
    await expect(running).resolves.toBeUndefined();
  });
});

describe('a worker process that cannot start one of its workers', () => {
  it('ends with 1', async () => {
    const broken = { ...shop.environment, ...environment, WORKFLOW_BUNDLE: '/nowhere/workflow-bundle.js' };
    const { code, stderr } = await runCommand('src/worker.ts', [], broken);
    expect(stderr).toContain('/nowhere/workflow-bundle.js');
    expect(code).toBe(1);
  });
});
