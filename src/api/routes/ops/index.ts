import { cancelFailure } from '../cancel-failure.ts';
import { listFailures } from '../list-failures.ts';
import { retryFailure } from '../retry-failure.ts';
import { countFailures } from './count-failures.ts';
import { getFailure } from './get-failure.ts';
import { getOrderStory } from './get-order-story.ts';
import { getQueues } from './get-queues.ts';
import { getSeries } from './get-series.ts';
import { getSignupStory } from './get-signup-story.ts';
import { listActions } from './list-actions.ts';
import { listRetrying } from './list-retrying.ts';
import { replayOrder } from './replay-order.ts';
import { resetFailure } from './reset-failure.ts';
import { searchOrders } from './search-orders.ts';
import { searchSignups } from './search-signups.ts';
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
  listRetrying,
  searchOrders,
  getOrderStory,
  replayOrder,
  searchSignups,
  getSignupStory,
  getQueues,
  getSeries,
  listActions,
];
