import { cancelFailure } from '../cancel-failure.ts';
import { listFailures } from '../list-failures.ts';
import { retryFailure } from '../retry-failure.ts';
import { backfillSchedule } from './backfill-schedule.ts';
import { cancelReplay, pauseReplay, resumeReplay } from './change-replay.ts';
import { countFailures } from './count-failures.ts';
import { createReplay } from './create-replay.ts';
import { getFailure } from './get-failure.ts';
import { getOrderStory } from './get-order-story.ts';
import { getQueues } from './get-queues.ts';
import { getReplay } from './get-replay.ts';
import { getSeries } from './get-series.ts';
import { getSignupStory } from './get-signup-story.ts';
import { listActions } from './list-actions.ts';
import { listReplayItems } from './list-replay-items.ts';
import { listReplays } from './list-replays.ts';
import { listRetrying } from './list-retrying.ts';
import { listSchedules } from './list-schedules.ts';
import { pauseSchedule, resumeSchedule, runSchedule } from './operate-schedule.ts';
import { replayOrder } from './replay-order.ts';
import { resetFailure } from './reset-failure.ts';
import { searchOrders } from './search-orders.ts';
import { searchSignups } from './search-signups.ts';
import { settleFailure } from './settle-failure.ts';
import { streamReplayEvents } from './stream-replay-events.ts';

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
  createReplay,
  listReplays,
  getReplay,
  listReplayItems,
  streamReplayEvents,
  pauseReplay,
  resumeReplay,
  cancelReplay,
  searchOrders,
  getOrderStory,
  replayOrder,
  searchSignups,
  getSignupStory,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  runSchedule,
  backfillSchedule,
  getQueues,
  getSeries,
  listActions,
];
