import type { OperatorActionName } from '../contracts/audit.ts';
import type { OperatorAction } from './action.ts';
import { cancelBulkAction, pauseBulkAction, resumeBulkAction } from './bulk-actions.ts';
import { cancelFailure, resetFailure, retryFailure, settleFailure } from './failures.ts';
import { approveOrder, cancelOrder, rejectOrder, restartOrder } from './orders.ts';
import { backfillSchedule, pauseSchedule, resumeSchedule, runSchedule, type ScheduleContext } from './schedules.ts';

/** Every action on one thing. The compiler asks for a new one here, and a test performs each through all three doors. */
export const ACTIONS: Record<OperatorActionName, OperatorAction<ScheduleContext>> = {
  retry_failure: retryFailure,
  cancel_failure: cancelFailure,
  settle_failure: settleFailure,
  reset_failure: resetFailure,
  approve_order: approveOrder,
  reject_order: rejectOrder,
  cancel_order: cancelOrder,
  restart_order: restartOrder,
  pause_bulk_action: pauseBulkAction,
  resume_bulk_action: resumeBulkAction,
  cancel_bulk_action: cancelBulkAction,
  pause_schedule: pauseSchedule,
  resume_schedule: resumeSchedule,
  run_schedule: runSchedule,
  backfill_schedule: backfillSchedule,
};
