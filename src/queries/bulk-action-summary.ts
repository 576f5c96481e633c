import type { BulkActionType } from '../contracts/bulk-actions.ts';
import type { BulkActionProgress, BulkActionWithProgress } from './bulk-actions.ts';

const COUNTS = [
  ['succeeded', 'succeeded'],
  ['failedAgain', 'failed again'],
  ['cancelled', 'cancelled'],
  ['skipped', 'skipped'],
  ['waiting', 'waiting'],
] as const satisfies (readonly [keyof BulkActionProgress, string])[];

/** @returns what has happened so far, e.g. `12 succeeded, 3 failed again` */
export const describeProgress = (progress: BulkActionProgress): string =>
  COUNTS.filter(([count]) => progress[count] > 0)
    .map(([count, words]) => `${progress[count]} ${words}`)
    .join(', ') || 'nothing to act on';

const VERBS: Record<BulkActionType, string> = { retry: 'Retry', cancel: 'Cancel', restart: 'Restart' };

/** What to do after a bulk action. */
export interface BulkActionNextStep {
  label: string;
  /** What to request. */
  request: { action: BulkActionType; failedAgainIn: string };
  /** Its dry run on the operator's page. */
  page: string;
}

/** @returns the next step after a bulk action that has ended: what failed again, once more. Null if there is nothing to do */
export function nextStepAfter({ bulkAction, repeatable }: BulkActionWithProgress): BulkActionNextStep | null {
  const { id: failedAgainIn, action, finishedAt } = bulkAction;
  if (finishedAt === null || repeatable === 0) return null;
  return {
    label: `${VERBS[action]} ${repeatable === 1 ? 'this one' : `these ${repeatable}`}`,
    request: { action, failedAgainIn },
    page: `/ops/bulk-actions/new?${new URLSearchParams({ action, failedAgainIn }).toString()}`,
  };
}
