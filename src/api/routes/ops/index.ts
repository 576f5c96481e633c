import { cancelFailure } from '../cancel-failure.ts';
import { listFailures } from '../list-failures.ts';
import { retryFailure } from '../retry-failure.ts';
import { countFailures } from './count-failures.ts';
import { getFailure } from './get-failure.ts';
import { replayOrder } from './replay-order.ts';
import { resetFailure } from './reset-failure.ts';
import { settleFailure } from './settle-failure.ts';

/** The operations of an operator, in the order in which the documentation shows them. A fixed path comes before one with an id. */
export const OPS_OPERATIONS = [
  listFailures,
  countFailures,
  getFailure,
  retryFailure,
  cancelFailure,
  settleFailure,
  resetFailure,
  replayOrder,
];
