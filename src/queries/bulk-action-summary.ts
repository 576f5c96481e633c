import type { BulkActionType } from '../contracts/bulk-actions.ts';
import { FIRST_ITEMS } from '../records/bulk-action-items.ts';
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

/** @returns whether a bulk action waits for the results of its first items, as it seems from its progress */
export const isTryingFirst = ({ bulkAction: { state, probeFrom }, progress: { total, pending } }: BulkActionWithProgress): boolean => {
  const acted = total - pending - probeFrom;
  return state === 'running' && pending > 0 && acted > 0 && acted <= FIRST_ITEMS;
};

/** What people are told meanwhile: it stands still at less than its rate. */
export const TRYING_FIRST = `The first ${FIRST_ITEMS} are tried alone. The others follow once one of them has succeeded, or after two minutes of work without a result.`;

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
