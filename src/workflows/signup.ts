import { condition, defineSignal, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { SignupInput, SignupResult } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { SignupTemplate } from '../contracts/templates.ts';
import { bookkeeping } from './activities.ts';
import { Emails } from './emails.ts';
import { showStatus } from './status.ts';
import { waitingUntil } from './summaries.ts';

export const verified = defineSignal(SIGNALS.verified);
export const subscribed = defineSignal(SIGNALS.subscribed);

/**
 * One signup, from the verification email to the end of the trial. When a person verifies or subscribes, the API updates
 * the row and then signals this run. Deadlines are kept here, and yield to a person who was just in time.
 */
export async function signup({ signupId, policy }: SignupInput): Promise<SignupResult> {
  // Runs from before first tries must replay without them (see docs/changing-workflows.md).
  const isPrompt = patched('first-tries-of-signup-emails');
  const emails = new Emails<SignupTemplate>({
    isPrompt,
    send: ({ sendSignupEmail }, template, occurrence) => sendSignupEmail(signupId, template, occurrence),
    onExhausted: (sent, error) => bookkeeping.recordFailedEmail({ signupId, ...sent, ...error }),
  });
  let isVerified = false;
  let isSubscribed = false;
  setHandler(verified, () => {
    isVerified = true;
  });
  setHandler(subscribed, () => {
    isSubscribed = true;
  });

  /**
   * @param limit ms, computed after the first tries of the emails
   * @param otherwise what comes at the limit, for people who read the run
   * @returns whether it happened in time
   */
  async function happens(hasHappened: () => boolean, limit: () => number, otherwise: string): Promise<boolean> {
    if (isPrompt) await emails.sendPromptly();
    const patience = limit();
    return await condition(hasHappened, patience, waitingUntil(patience, (day) => `${otherwise} on ${day}`));
  }

  async function story(): Promise<SignupResult> {
    showStatus('pending_verification', 'Waiting for the address to be verified.');
    emails.send('verification');
    if (!(await verifiedInTime())) return { status: 'expired' };

    emails.send('welcome');
    await bookkeeping.startTrial(signupId, policy.trial);
    showStatus('trial', 'The trial is running.');
    if (await subscribedInTime()) return { status: 'subscribed' };
    return { status: 'ended' };
  }

  async function verifiedInTime(): Promise<boolean> {
    for (const [index, reminder] of policy.reminders.entries()) {
      if (await happens(() => isVerified, () => untilAge(reminder), 'not verified, reminder')) return true;
      emails.send('verification_reminder', index + 1);
    }
    if (await happens(() => isVerified, () => untilAge(policy.verificationDeadline), 'not verified, expires')) return true;
    const { expired } = await bookkeeping.expireSignup(signupId);
    return !expired;
  }

  async function subscribedInTime(): Promise<boolean> {
    if (await happens(() => isSubscribed, () => policy.trial - policy.trialReminderBefore, 'trial, reminder')) return true;
    emails.send('trial_ending');
    if (await happens(() => isSubscribed, () => policy.trialReminderBefore, 'trial, ends')) return true;
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
