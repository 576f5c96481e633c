import {
  CancellationScope,
  condition,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { STATUS_SEARCH_ATTRIBUTE } from '../../../src/contracts/names.ts';
import type { SkeletonActivities } from './main.ts';
import type { ScriptedTask } from './script.ts';

const activities = proxyActivities<SkeletonActivities>({ startToCloseTimeout: '1 minute' });
const local = proxyLocalActivities<SkeletonActivities>({ startToCloseTimeout: '1 minute' });

export const news = defineSignal('news');

/** Does in each workflow task what a real order did in it, with nothing in it. */
export async function skeleton(script: ScriptedTask[]): Promise<void> {
  let completed = 0;
  let signalled = 0;
  setHandler(news, () => {
    signalled += 1;
  });
  let scheduled = 0;
  const count = async (activity: Promise<void>): Promise<void> => {
    await activity;
    completed += 1;
  };
  let timers = new CancellationScope();
  for (const task of script) {
    await condition(() => completed >= task.after.activities && signalled >= task.after.signals);
    timers.cancel();
    timers = new CancellationScope();
    for (let index = 0; index < task.upserts; index += 1) {
      upsertSearchAttributes([{ key: STATUS_SEARCH_ATTRIBUTE, value: String(index) }]);
    }
    for (let index = 0; index < task.localActivities; index += 1) {
      await (index === 0 && task.activities === 0 && task.sends > 0 ? local.send(task.sends) : local.nothing());
    }
    for (let index = 0; index < task.timers; index += 1) {
      void timers.run(() => sleep('30 days')).catch(() => {});
    }
    for (let index = 0; index < task.activities; index += 1) {
      scheduled += 1;
      void count(index === 0 && task.sends > 0 ? activities.send(task.sends) : activities.nothing());
    }
  }
  await condition(() => completed === scheduled);
  timers.cancel();
}
