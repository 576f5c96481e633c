import { fixFailure } from '../../../operate/discrepancies.ts';
import { cancelFailure, requeueFailure, resetFailure, retryFailure, settleFailure } from '../../../operate/failures.ts';
import { failureSchema, loadFailure } from '../../../views/failure.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';

const failure: ActionAnswer = {
  schema: failureSchema,
  load: ({ db, links }, _caller, id) => loadFailure(db, links, id),
};

/** What an operator can do about one failure. */
export const FAILURE_ACTIONS = [
  actionOperation('/v1/ops/failures/{id}/retry', retryFailure, failure),
  actionOperation('/v1/ops/failures/{id}/cancel', cancelFailure, failure),
  actionOperation('/v1/ops/failures/{id}/settlement', settleFailure, failure),
  actionOperation('/v1/ops/failures/{id}/reset', resetFailure, failure),
  actionOperation('/v1/ops/failures/{id}/fix', fixFailure, failure),
  actionOperation('/v1/ops/failures/{id}/requeue', requeueFailure, failure),
];
