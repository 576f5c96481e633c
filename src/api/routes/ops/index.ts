import { backfillSchedule } from './backfill-schedule.ts';
import { BULK_ACTION_ACTIONS } from './bulk-action-actions.ts';
import { countFailures } from './count-failures.ts';
import { createBulkAction } from './create-bulk-action.ts';
import { erasePerson } from './erase-person.ts';
import { FAILURE_ACTIONS } from './failure-actions.ts';
import { getBooks } from './get-books.ts';
import { getBulkAction } from './get-bulk-action.ts';
import { getFailure } from './get-failure.ts';
import { getHealth } from './get-health.ts';
import { getOrderStory } from './get-order-story.ts';
import { getQueues } from './get-queues.ts';
import { getSeries } from './get-series.ts';
import { getSignupStory } from './get-signup-story.ts';
import { listActions } from './list-actions.ts';
import { listBulkActionItems } from './list-bulk-action-items.ts';
import { listBulkActions } from './list-bulk-actions.ts';
import { listFailures } from './list-failures.ts';
import { listRetrying } from './list-retrying.ts';
import { listSchedules } from './list-schedules.ts';
import { restartOrder } from './restart-order.ts';
import { SCHEDULE_ACTIONS } from './schedule-actions.ts';
import { searchOrders } from './search-orders.ts';
import { searchSignups } from './search-signups.ts';
import { streamBulkActionEvents } from './stream-bulk-action-events.ts';

/** The operations of an operator, in the order of the documentation. A fixed path comes before one with an id. */
export const OPS_OPERATIONS = [
  listFailures,
  countFailures,
  getFailure,
  ...FAILURE_ACTIONS,
  listRetrying,
  createBulkAction,
  listBulkActions,
  getBulkAction,
  listBulkActionItems,
  streamBulkActionEvents,
  ...BULK_ACTION_ACTIONS,
  searchOrders,
  getOrderStory,
  restartOrder,
  searchSignups,
  getSignupStory,
  erasePerson,
  listSchedules,
  ...SCHEDULE_ACTIONS,
  backfillSchedule,
  getQueues,
  getHealth,
  getBooks,
  getSeries,
  listActions,
];
