import { condition, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';
import type { EmailRef } from '../contracts/ids.ts';
import type { SignupInput, SignupResult } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { SignupTemplate } from '../contracts/templates.ts';
import { bookkeeping, email } from './activities.ts';
import { BestEffortMessages } from './best-effort.ts';
import { showStatus } from './status.ts';

export const verified = defineSignal(SIGNALS.verified);
export const subscribed = defineSignal(SIGNALS.subscribed);

/**
 * One signup, from the verification email to the end of the trial. When a person verifies or subscribes, the API updates
 * the row and then signals this run. Deadlines are kept here, and yield to a person who was just in time.
 */
export async function signup({ signupId, policy }: SignupInput): Promise<SignupResult> {
  const emails = new BestEffortMessages<EmailRef>((sent, error) => bookkeeping.recordFailedEmail({ signupId, ...sent, ...error }));
  const sendEmail = (template: SignupTemplate, occurrence = 1) =>
    emails.send({ template, occurrence }, () =>
      email.patiently(({ sendSignupEmail }) => sendSignupEmail(signupId, template, occurrence)),
    );
  let isVerified = false;
  let isSubscribed = false;
  setHandler(verified, () => {
    isVerified = true;
  });
  setHandler(subscribed, () => {
    isSubscribed = true;
  });

  async function story(): Promise<SignupResult> {
    showStatus('pending_verification', 'Waiting for the address to be verified.');
    sendEmail('verification');
    if (!(await verifiedInTime())) return { status: 'expired' };

    sendEmail('welcome');
    await bookkeeping.startTrial(signupId, policy.trial);
    showStatus('trial', 'The trial is running.');
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
  showStatus(result.status, 'Done.');
  await emails.settled();
  return result;
}

/** @returns ms until the run is `age` ms old. Deadlines count from the signup, not from each other. */
const untilAge = (age: number): number => Math.max(0, workflowInfo().startTime.getTime() + age - Date.now());
