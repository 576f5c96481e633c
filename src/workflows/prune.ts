import { patched } from '@temporalio/workflow';
import { batches, operations } from './activities.ts';

/** Deletes what is finished and past its retention time (see `activities/prune.ts`). */
export async function prune(): Promise<void> {
  // Runs from before pruning was a normal activity must replay (see docs/changing-workflows.md).
  const { pruneFinishedWork } = patched('prune-as-activity') ? batches : operations;
  await pruneFinishedWork();
}
