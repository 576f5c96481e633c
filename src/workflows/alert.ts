import { continueAsNew, defineSignal, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { AlertInput, AlertOccasion } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import { announcing, operations } from './activities.ts';
import { BestEffortMessages } from './best-effort.ts';

export const groupOpened = defineSignal(SIGNALS.groupOpened);

/**
 * Announced one group of similar failures in an earlier version, and stays only so that runs that are still open can replay: what they
 * call does nothing any more, so they end at their next digest. Alerts are sent without Temporal now: see `alerts/`.
 */
export async function alert({ group, digestEvery, announced = 0 }: AlertInput): Promise<void> {
  let opened = false;
  setHandler(groupOpened, () => {
    opened = true;
  });
  const messages = new BestEffortMessages<string>((message, error) => operations.logFailedAlert({ group, message, ...error }));
  const { firstExecutionRunId } = workflowInfo();
  let sent = announced;
  const send = (occasion: AlertOccasion) => {
    sent += 1;
    const key = `alert:${firstExecutionRunId}:${sent}`;
    messages.send(`${occasion} by email`, () => announcing.sendAlert({ group, occasion, key }));
    messages.send(`${occasion} by webhook`, () => announcing.postAlert({ group, occasion, key }));
  };

  let watching = announced > 0;
  do {
    if (!watching) send('opened');
    opened = false;
    await sleep(digestEvery, { summary: 'the next digest' });
    const { open } = await operations.closeAlertGroup(group);
    watching = open;
    send(watching ? 'digest' : 'resolved');
    await messages.settled();
    if (watching && workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof alert>({ group, digestEvery, announced: sent });
    }
  } while (watching || opened);
}
