import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into each thread of a worker, by Node's flag `--import`. JavaScript, because such a thread cannot load TypeScript yet.
 *
 * By default, the SDK takes a stack trace for each promise of a workflow, in case someone opens "Call Stack" in the Web UI. That
 * is half of the time of the workflow thread, and the SDK has no option for it. Without these stack traces, the Web UI has
 * none to show. See `docs/decisions/worker.md`.
 */
if (!isMainThread) {
  const { GlobalHandlers } = createRequire(import.meta.url)('@temporalio/worker/lib/workflow/vm-shared');
  GlobalHandlers.prototype.setPromiseHook = () => {};
}
