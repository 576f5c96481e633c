import { NON_RETRYABLE_ERROR_TYPES, type ErrorDetails } from '../contracts/errors.ts';
import { orderWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { RETRY_PROFILES } from '../contracts/retry-profiles.ts';
import type { Database } from '../db/client.ts';
import { transaction } from '../db/transaction.ts';
import { openFailure } from '../records/failures.ts';
import { currentRunId } from './open-failure.ts';

export type FailedEmailActivities = ReturnType<typeof createFailedEmailActivities>;

/** Emails that could not be sent. They stop nothing, but a person should look at them. */
export function createFailedEmailActivities({ db }: { db: Database }) {
  return {
    async recordFailedEmail(
      email: ErrorDetails & { template: string } & ({ orderId: string; generation: number } | { signupId: string }),
    ): Promise<void> {
      const { template, ...failure } = email;
      await transaction(db, async (tx) => {
        await openFailure(tx, {
          ...failure,
          kind: 'email',
          workflowId: 'orderId' in failure ? orderWorkflowId(failure.orderId) : signupWorkflowId(failure.signupId),
          runId: currentRunId(),
          step: template,
          attempts: NON_RETRYABLE_ERROR_TYPES.includes(email.errorType) ? 1 : RETRY_PROFILES.email.retry.maximumAttempts,
        });
      });
    },
  };
}
