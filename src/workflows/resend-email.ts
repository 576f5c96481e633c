import type { ResendEmailInput } from '../contracts/messages.ts';
import { bookkeeping, email } from './activities.ts';
import { describeError } from './errors.ts';

/** An email that could not be sent and that an operator has asked for again. Ends once it is sent or has failed again. */
export async function resendEmail(input: ResendEmailInput): Promise<void> {
  try {
    await email.patiently(({ resendEmail: send }) => send(input));
  } catch (error) {
    await bookkeeping.recordFailedResend(input, describeError(error));
  }
}
