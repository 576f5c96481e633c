import { fixFailure } from '../../../operate/discrepancies.ts';
import { cancelFailure, requeueFailure, resetFailure, retryFailure, settleFailure } from '../../../operate/failures.ts';
import { failureSchema, loadFailure } from '../../../views/failure.ts';
import { actionOperation, type ActionAnswer } from '../../action-operation.ts';
import { retriedFailure } from '../../examples/failures.ts';

const failure: ActionAnswer = {
  schema: failureSchema,
  examples: { requested: retriedFailure },
  load: ({ db, links }, _caller, id) => loadFailure(db, links, id),
};

/** What an operator can do about one failure. */
export const FAILURE_ACTIONS = [
  actionOperation('retryFailure', '/v1/ops/failures/{id}/retry', retryFailure, failure, {
    again: { reason: 'The warehouse is back.' },
    correctedAddress: {
      reason: 'The customer told us the right street.',
      shippingAddress: { line1: 'St James Square 12', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' },
    },
  }),
  actionOperation('cancelFailure', '/v1/ops/failures/{id}/cancel', cancelFailure, failure),
  actionOperation('settleFailure', '/v1/ops/failures/{id}/settlement', settleFailure, failure),
  actionOperation('resetFailure', '/v1/ops/failures/{id}/reset', resetFailure, failure, {
    whereItFails: { reason: 'The code is fixed.' },
    atAnEvent: { reason: 'The code is fixed.', eventId: 27 },
  }),
  actionOperation('fixFailure', '/v1/ops/failures/{id}/fix', fixFailure, failure),
  actionOperation('requeueFailure', '/v1/ops/failures/{id}/requeue', requeueFailure, failure),
];
