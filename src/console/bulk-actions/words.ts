import type { BulkActionType } from '../../contracts/bulk-actions.ts';

/** How each bulk action is called: itself, its button, what the dry run says, and what is said once it has started. */
export const BULK_ACTIONS: Record<BulkActionType, { title: string; verb: string; planned: string; started: string }> = {
  retry: { title: 'Retry parked orders', verb: 'Retry', planned: 'will be retried', started: 'Retry started.' },
  cancel: { title: 'Cancel parked orders', verb: 'Cancel', planned: 'will be cancelled', started: 'Cancellation started.' },
  restart: { title: 'Restart failed orders', verb: 'Restart', planned: 'will be restarted', started: 'Restart started.' },
};
