import { condition } from '@temporalio/workflow';
import { bookkeeping } from '../activities.ts';
import { refusal } from '../errors.ts';
import { waitingUntil } from '../summaries.ts';
import type { OrderContext } from './context.ts';

/**
 * Waits for a person's decision, and sends one reminder halfway. No answer by the deadline means rejected.
 * @param why a sentence
 */
export async function untilApproved(context: OrderContext, why: string): Promise<void> {
  const { ref, policy, inbox, sendEmail, showStatus, beforeWait } = context;
  await bookkeeping.requestApproval(ref);
  showStatus('awaiting_approval', `${why} Waiting for approval.`);
  sendEmail('approval_requested');
  await beforeWait();
  const answered = () => inbox.decision !== undefined || inbox.isCancelled;
  const half = policy.approvalDeadline / 2;
  if (!(await condition(answered, half, waitingUntil(half, (day) => `waiting for approval, reminder on ${day}`)))) {
    sendEmail('approval_reminder');
    await beforeWait();
    await condition(answered, half, waitingUntil(half, (day) => `waiting for approval, rejected automatically on ${day}`));
  }
  inbox.stopIfCancelled();
  const answer = inbox.decision ?? { decision: 'reject', actor: 'holdfast' };
  const { decision } = await bookkeeping.recordApproval(ref, answer);
  if (decision === 'reject') throw refusal('order_rejected', 'The order was not approved.');
}
