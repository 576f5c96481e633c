import { report } from './activities.ts';

/** Reports runs that are broken by a bug in our code (see `activities/broken-runs.ts`). */
export async function watchRuns(): Promise<void> {
  await report.reportBrokenRuns();
}
