import { condition, continueAsNew, defineSignal, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { ReplayInput } from '../contracts/messages.ts';
import { SIGNALS } from '../contracts/names.ts';
import { operations } from './activities.ts';

export const replayChanged = defineSignal(SIGNALS.replayChanged);

/**
 * Works through a bulk replay at a bounded rate. Where it stands is in Postgres: a run that is killed, or continued as
 * new, goes on with the next item. Paused, it waits to be told of a change.
 */
export async function replayFailures({ replayId, ratePerSecond }: ReplayInput): Promise<void> {
  let changed = false;
  setHandler(replayChanged, () => {
    changed = true;
  });
  for (;;) {
    changed = false;
    const { state } = await operations.runReplayBatch(replayId, ratePerSecond);
    setCurrentDetails(`The bulk replay is **${state}**.`);
    if (state === 'ended') return;
    if (state === 'paused') await condition(() => changed);
    else await sleep('1s');
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof replayFailures>({ replayId, ratePerSecond });
    }
  }
}
