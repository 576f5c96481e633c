import type { temporal } from '@temporalio/proto';
import { z } from 'zod';

const count = z.int().min(0);

export const scriptSchema = z.array(
  z.object({
    /** What has to have arrived since the start before this workflow task. */
    after: z.object({ activities: count, signals: count }),
    /** What it then does. */
    activities: count,
    localActivities: count,
    timers: count,
    upserts: count,
    /** How many signals its first activity sends, or its first local one if it has no other. */
    sends: count,
  }),
);

/** What one workflow task of a run did. */
export type ScriptedTask = z.infer<typeof scriptSchema>[number];

/** Reads from the history of a run what each of its workflow tasks waited for and did. */
export function scriptOf({ events }: temporal.api.history.v1.IHistory): ScriptedTask[] {
  const arrived = { activities: 0, signals: 0 };
  const tasks: ScriptedTask[] = [];
  let signals = 0;
  for (const event of events ?? []) {
    const task = tasks.at(-1);
    if (event.activityTaskCompletedEventAttributes) arrived.activities += 1;
    if (event.workflowExecutionSignaledEventAttributes) signals = arrived.signals += 1;
    if (event.workflowTaskCompletedEventAttributes) {
      tasks.push({ after: { ...arrived }, activities: 0, localActivities: 0, timers: 0, upserts: 0, sends: 0 });
    }
    if (!task) continue;
    if (event.activityTaskScheduledEventAttributes) task.activities += 1;
    if (event.timerStartedEventAttributes) task.timers += 1;
    if (event.upsertWorkflowSearchAttributesEventAttributes) task.upserts += 1;
    if (event.markerRecordedEventAttributes?.markerName === 'core_local_activity') task.localActivities += 1;
  }
  // The news is about the parcel, which an activity that began before any news has requested.
  const sender = tasks.findLast((task) => task.activities + task.localActivities > 0 && task.after.signals === 0);
  if (sender) sender.sends = signals;
  return tasks;
}
