import { condition, continueAsNew, defineSignal, patched, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { BulkActionInput } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import { batches, operations } from './activities.ts';

export const replayChanged = defineSignal(SIGNALS.replayChanged);

/**
 * Works through a bulk action at a limited rate. The progress is in Postgres, so a run that was interrupted or continued
 * as new proceeds with the next item. A paused run waits for a signal.
 *
 * `replayFailures` and `runReplayBatch` are older names. Histories store them, so they stay.
 */
export async function replayFailures({ replayId, ratePerSecond }: BulkActionInput): Promise<void> {
  let changed = false;
  setHandler(replayChanged, () => {
    changed = true;
  });
  // Decided once: runs from before batches were normal activities must replay (see docs/changing-workflows.md).
  const { runReplayBatch } = patched('bulk-action-batches-as-activities') ? batches : operations;
  for (;;) {
    changed = false;
    const { state } = await runReplayBatch(replayId, ratePerSecond);
    setCurrentDetails(`The bulk action is **${state}**.`);
    if (state === 'ended') return;
    if (state === 'paused') await condition(() => changed);
    else await sleep('1s', { summary: 'the next batch' });
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof replayFailures>({ replayId, ratePerSecond });
    }
  }
}
