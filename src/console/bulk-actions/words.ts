import type { BulkActionType } from '../../contracts/bulk-actions.ts';

interface Words {
  title: string;
  /** On its button. */
  verb: string;
  /** One item. */
  noun: string;
  /** What it acts on without a filter. */
  all: string;
  /** What the dry run says. */
  planned: string;
  /** What is said once it has started. */
  started: string;
}

/** How each bulk action is called. */
export const BULK_ACTIONS: Record<BulkActionType, Words> = {
  retry: {
    title: 'Retry failures',
    verb: 'Retry',
    noun: 'failure',
    all: 'parked orders and unsent emails',
    planned: 'will be retried',
    started: 'Retry started.',
  },
  cancel: {
    title: 'Cancel parked orders',
    verb: 'Cancel',
    noun: 'order',
    all: 'parked orders',
    planned: 'will be cancelled',
    started: 'Cancellation started.',
  },
  restart: {
    title: 'Restart failed orders',
    verb: 'Restart',
    noun: 'order',
    all: 'failed orders',
    planned: 'will be restarted',
    started: 'Restart started.',
  },
};
