import { report } from './activities.ts';

/** Finds the runs that went wrong by a fault in our code (see `activities/runs.ts`). */
export async function watchRuns(): Promise<void> {
  await report.reportBrokenRuns();
}
