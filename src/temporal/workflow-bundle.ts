import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { failureConverterPath } from './payloads/data-converter.ts';

const workflowModule = (name: string): string =>
  fileURLToPath(new URL(`../workflows/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** Exports every workflow. */
export const workflowsPath = workflowModule('index');

/** Wrap what workflows do. */
export const workflowInterceptorModules = [workflowModule('request'), workflowModule('summaries')];

/**
 * Modules that are loaded once for all runs of a worker, not once for each: all of ours, because they hold nothing that changes.
 * See `docs/decisions/worker.md`.
 */
export const preloadModules = [workflowsPath, failureConverterPath, ...workflowInterceptorModules];

/**
 * Bundles the workflow code into one file, for a worker's `WORKFLOW_BUNDLE`. Bundling takes seconds, so a starting worker
 * or a test should not have to do it each time.
 * @throws Error naming what cannot be bundled
 */
export async function writeWorkflowBundle(file: string): Promise<void> {
  const faults: string[] = [];
  // Webpack's report is long and only useful when it fails.
  const keep = (message: string) => faults.push(message);
  const logger = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: keep, error: keep };
  try {
    const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, preloadModules, failureConverterPath, logger });
    await writeFile(file, code);
  } catch (error) {
    throw new Error(`The workflow code could not be bundled.\n${faults.join('\n')}`, { cause: error });
  }
}

const ignore = () => {};
