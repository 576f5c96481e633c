import type { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What one run costs Temporal. */
export interface RunCost {
  events: number;
  workflowTasks: number;
  activities: number;
  localActivities: number;
  signals: number;
  timers: number;
  searchAttributeUpserts: number;
  /** See {@link countActions}. */
  actions: number;
}

/** Counts what is in a history. */
export function countHistory(history: History): RunCost {
  const events = history.events ?? [];
  const count = (has: (event: HistoryEvent) => unknown) => events.filter(has).length;
  return {
    events: events.length,
    workflowTasks: count((event) => event.workflowTaskCompletedEventAttributes),
    activities: count((event) => event.activityTaskScheduledEventAttributes),
    localActivities: count((event) => event.markerRecordedEventAttributes?.markerName === 'core_local_activity'),
    signals: count((event) => event.workflowExecutionSignaledEventAttributes),
    timers: count((event) => event.timerStartedEventAttributes),
    searchAttributeUpserts: count((event) => event.upsertWorkflowSearchAttributesEventAttributes),
    actions: countActions(events),
  };
}

/**
 * Counts Actions, the unit in which Temporal Cloud bills, as https://docs.temporal.io/cloud/actions defines them: one for the
 * start of the run, and one for each timer, signal, accepted update, attempt of an activity and upsert of search attributes,
 * except those of `TemporalChangeVersion` alone. All markers of a workflow task count as one: local activities and patches.
 * Heartbeats would count too, but a history does not have them. None is sent in the few milliseconds of a step.
 */
function countActions(events: readonly HistoryEvent[]): number {
  const markedTasks = new Set(
    events.flatMap(({ markerRecordedEventAttributes: marker }) => (marker ? [String(marker.workflowTaskCompletedEventId)] : [])),
  );
  return events.reduce((sum, event) => sum + actionsOf(event), markedTasks.size);
}

function actionsOf(event: HistoryEvent): number {
  if (event.workflowExecutionStartedEventAttributes) return 1;
  if (event.timerStartedEventAttributes) return 1;
  if (event.workflowExecutionSignaledEventAttributes) return 1;
  if (event.workflowExecutionUpdateAcceptedEventAttributes) return 1;
  if (event.activityTaskStartedEventAttributes) return event.activityTaskStartedEventAttributes.attempt ?? 1;
  const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields ?? {};
  return Object.keys(upserted).some((name) => name !== 'TemporalChangeVersion') ? 1 : 0;
}

/** @returns one line for each event: its type, and what it is about */
export function historyLines({ events }: History): string {
  return (events ?? [])
    .map((event) => {
      const type = Object.keys(event).find((key) => key.endsWith('EventAttributes') && Reflect.get(event, key)) ?? 'unknown';
      const about =
        event.activityTaskScheduledEventAttributes?.activityType?.name ??
        event.markerRecordedEventAttributes?.markerName ??
        event.workflowExecutionSignaledEventAttributes?.signalName ??
        '';
      return `${String(event.eventId).padStart(3)} ${type.replace('EventAttributes', '')} ${about}`.trimEnd();
    })
    .join('\n');
}
