import { NON_RETRYABLE_ERROR_TYPES, type ErrorDetails } from '../contracts/errors.ts';
import { emailKey, orderWorkflowId, signupWorkflowId, type EmailRef, type OrderRef } from '../contracts/ids.ts';
import type { ResendEmailInput } from '../contracts/messages.ts';
import { RETRY_PROFILES } from '../contracts/retry-profiles.ts';
import type { Database } from '../db/client.ts';
import { transaction } from '../db/transaction.ts';
import { failAgain, openFailure } from '../records/failures.ts';
import { currentRunId } from './open-failure.ts';

export type FailedEmailActivities = ReturnType<typeof createFailedEmailActivities>;

/** Emails that could not be sent. They stop nothing, but a person should look at them. */
export function createFailedEmailActivities({ db }: { db: Database }) {
  return {
    async recordFailedEmail(email: ErrorDetails & EmailRef & (OrderRef | { signupId: string })): Promise<void> {
      const { template, occurrence, ...failure } = email;
      await transaction(db, async (tx) => {
        await openFailure(tx, {
          ...failure,
          kind: 'email',
          workflowId: 'orderId' in failure ? orderWorkflowId(failure.orderId) : signupWorkflowId(failure.signupId),
          runId: currentRunId(),
          step: template,
          emailKey: emailKey(failure, { template, occurrence }),
          attempts: attemptsUntil(email),
        });
      });
    },

    /** Opens the failure of an email again that could not be sent again either. */
    async recordFailedResend(resend: ResendEmailInput, error: ErrorDetails): Promise<void> {
      await transaction(db, (tx) => failAgain(tx, resend, error, attemptsUntil(error)));
    },
  };
}

/** @returns how many attempts were made before this error was final */
const attemptsUntil = ({ errorType }: ErrorDetails): number =>
  NON_RETRYABLE_ERROR_TYPES.includes(errorType) ? 1 : RETRY_PROFILES.email.retry.maximumAttempts;
