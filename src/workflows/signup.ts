import {
  condition,
  defineSignal,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { SignupInput, SignupResult } from '../contracts/messages.ts';
import { SIGNALS, STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import type { SignupStatus } from '../contracts/statuses.ts';
import type { SignupTemplate } from '../contracts/templates.ts';
import { bookkeeping, email } from './activities.ts';
import { Emails } from './emails.ts';

export const verified = defineSignal(SIGNALS.verified);
export const subscribed = defineSignal(SIGNALS.subscribed);

/**
 * One signup, from the verification email to the end of the trial. The API moves the row when a person verifies or
 * subscribes, and then tells this run; the deadlines are this run's own, and give way to a person who was just in time.
 */
export async function signup({ signupId, policy }: SignupInput): Promise<SignupResult> {
  const emails = new Emails((template, error) => bookkeeping.recordFailedEmail({ signupId, template, ...error }));
  const sendEmail = (template: SignupTemplate, occurrence = 1) =>
    emails.send(template, () => email.sendSignupEmail(signupId, template, occurrence));
  let isVerified = false;
  let isSubscribed = false;
  setHandler(verified, () => {
    isVerified = true;
  });
  setHandler(subscribed, () => {
    isSubscribed = true;
  });

  async function story(): Promise<SignupResult> {
    tell('pending_verification', 'Waiting for the address to be verified.');
    sendEmail('verification');
    if (!(await verifiedInTime())) return { status: 'expired' };

    sendEmail('welcome');
    await bookkeeping.startTrial(signupId, policy.trial);
    tell('trial', 'The trial runs.');
    if (await subscribedInTime()) return { status: 'subscribed' };
    return { status: 'ended' };
  }

  async function verifiedInTime(): Promise<boolean> {
    for (const [index, reminder] of policy.reminders.entries()) {
      if (await condition(() => isVerified, untilAge(reminder))) return true;
      sendEmail('verification_reminder', index + 1);
    }
    if (await condition(() => isVerified, untilAge(policy.verificationDeadline))) return true;
    const { expired } = await bookkeeping.expireSignup(signupId);
    return !expired;
  }

  async function subscribedInTime(): Promise<boolean> {
    if (await condition(() => isSubscribed, policy.trial - policy.trialReminderBefore)) return true;
    sendEmail('trial_ending');
    if (await condition(() => isSubscribed, policy.trialReminderBefore)) return true;
    const { ended } = await bookkeeping.endTrial(signupId);
    return !ended;
  }

  const result = await story();
  tell(result.status, 'Nothing more to do.');
  await emails.settled();
  return result;
}

/** @returns ms until the run is `age` ms old: deadlines count from the signup, not from each other */
const untilAge = (age: number): number => Math.max(0, workflowInfo().startTime.getTime() + age - Date.now());

/** Says where the signup stands, for whoever opens the run in the Web UI or lists runs by status. */
function tell(status: SignupStatus, sentence: string): void {
  upsertSearchAttributes([{ key: STATUS_SEARCH_ATTRIBUTE, value: status }]);
  setCurrentDetails(`**${status}**: ${sentence}`);
}
