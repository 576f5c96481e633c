import { operations } from './activities.ts';

/** Deletes what is finished and past its retention time (see `activities/prune.ts`). */
export async function prune(): Promise<void> {
  await operations.pruneFinishedWork();
}
