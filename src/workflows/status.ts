import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import type { OrderStatus, SignupStatus } from '../contracts/statuses.ts';

/** Shows the status of a run to people who open it in the Web UI or list runs by status. */
export function showStatus(status: OrderStatus | SignupStatus, sentence: string): void {
  upsertSearchAttributes([{ key: STATUS_SEARCH_ATTRIBUTE, value: status }]);
  setCurrentDetails(`**${status}**: ${sentence}`);
}
