import { cancelBulkAction, pauseBulkAction, resumeBulkAction } from '../../../operate/bulk-actions.ts';
import { bulkActionSchema, loadBulkAction } from '../../../views/bulk-action.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';

const bulkAction: ActionAnswer = {
  schema: bulkActionSchema,
  load: ({ db, links }, _caller, id) => loadBulkAction(db, links, id),
};

/** What an operator can do about one bulk action. */
export const BULK_ACTION_ACTIONS = [
  actionOperation('/v1/ops/bulk-actions/{id}/pause', pauseBulkAction, bulkAction),
  actionOperation('/v1/ops/bulk-actions/{id}/resume', resumeBulkAction, bulkAction),
  actionOperation('/v1/ops/bulk-actions/{id}/cancel', cancelBulkAction, bulkAction),
];
