import { cancelBulkAction, pauseBulkAction, resumeBulkAction } from '../../../operate/bulk-actions.ts';
import { bulkActionSchema, loadBulkAction } from '../../../views/bulk-action.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';
import { cancelledBulkAction, pausedBulkAction, runningBulkAction } from '../../examples/bulk-actions.ts';

const answer: Omit<ActionAnswer, 'examples'> = {
  schema: bulkActionSchema,
  load: ({ db, links }, _caller, id) => loadBulkAction(db, links, id),
};

/** What an operator can do about one bulk action. */
export const BULK_ACTION_ACTIONS = [
  actionOperation('pauseBulkAction', '/v1/ops/bulk-actions/{id}/pause', pauseBulkAction, {
    ...answer,
    examples: { paused: pausedBulkAction },
  }),
  actionOperation('resumeBulkAction', '/v1/ops/bulk-actions/{id}/resume', resumeBulkAction, {
    ...answer,
    examples: { running: runningBulkAction },
  }),
  actionOperation('cancelBulkAction', '/v1/ops/bulk-actions/{id}/cancel', cancelBulkAction, {
    ...answer,
    examples: { cancelled: cancelledBulkAction },
  }),
];
