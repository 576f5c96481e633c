import { activityInfo } from '@temporalio/activity';
import { NON_RETRYABLE_ERROR_TYPES } from '../contracts/errors.ts';
import { orderWorkflowId, signupWorkflowId } from '../contracts/ids.ts';
import { RETRY_PROFILES } from '../contracts/retry-profiles.ts';
import type { Database } from '../db/client.ts';
import { openFailure } from '../intake/failures.ts';

export type FailureActivities = ReturnType<typeof createFailureActivities>;

interface FailedEmail {
  template: string;
  errorType: string;
  errorMessage: string;
}

/** Failures that stop nothing, but that a person should look at. */
export function createFailureActivities({ db }: { db: Database }) {
  return {
    async recordFailedEmail(
      email: FailedEmail & ({ orderId: string; generation: number } | { signupId: string }),
    ): Promise<void> {
      const { template, ...failure } = email;
      await db.transaction(async (tx) => {
        await openFailure(tx, {
          ...failure,
          kind: 'email',
          workflowId: 'orderId' in failure ? orderWorkflowId(failure.orderId) : signupWorkflowId(failure.signupId),
          runId: activityInfo().workflowExecution?.runId ?? null,
          step: template,
          attempts: NON_RETRYABLE_ERROR_TYPES.includes(email.errorType) ? 1 : RETRY_PROFILES.email.retry.maximumAttempts,
        });
      });
    },
  };
}
