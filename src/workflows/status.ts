import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import { RESTING_ORDER_STATUSES, type OrderStatus, type SignupStatus } from '../contracts/statuses.ts';

/** Shows the status of a run to people who open it in the Web UI or list runs by status. */
export function showStatus(status: OrderStatus | SignupStatus, sentence: string): void {
  publish(status);
  describe(status, sentence);
}

/**
 * Shows the status of an order's run. The Web UI shows each status. The list of runs does not show those that last for
 * moments, because each change there is an event and a write: only if the run has to wait in one of them (see `publish`).
 */
export class StatusDisplay {
  /** Not in the list of runs yet. */
  #unpublished: OrderStatus | undefined;
  readonly #publishesAll: boolean;

  constructor({ publishesAll }: { publishesAll: boolean }) {
    this.#publishesAll = publishesAll;
  }

  show(status: OrderStatus, sentence: string): void {
    this.#unpublished = status;
    if (this.#publishesAll || RESTING_ORDER_STATUSES.includes(status)) this.publish();
    describe(status, sentence);
  }

  /** Puts the present status into the list of runs. Call it before a wait. */
  publish(): void {
    if (this.#unpublished !== undefined) publish(this.#unpublished);
    this.#unpublished = undefined;
  }
}

const publish = (status: OrderStatus | SignupStatus): void =>
  upsertSearchAttributes([{ key: STATUS_SEARCH_ATTRIBUTE, value: status }]);

const describe = (status: OrderStatus | SignupStatus, sentence: string): void =>
  setCurrentDetails(`**${status}**: ${sentence}`);
