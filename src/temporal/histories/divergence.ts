import type { History } from '@temporalio/common/lib/proto-utils.js';
import { z } from 'zod';

/** Where a run and the code diverge. What the SDK's message does not say is null. */
export interface Divergence {
  /** id of the event in the run's history */
  event: number | null;
  /** what the run did, according to its history */
  expected: string | null;
  /** what the present code does instead */
  found: string | null;
  /** the SDK's own words */
  message: string;
}

/** The forms of the SDK core's messages (`crates/sdk-core/src/worker/workflow/machines`). */
const FORMS: { form: RegExp; read: (groups: Record<string, string>, history: History) => Omit<Divergence, 'message'> }[] = [
  {
    form: /No command scheduled for event HistoryEvent\(id: (?<event>\d+), (?<type>\w+)\)/,
    read: ({ event, type }) => ({ event: Number(event), expected: type ?? null, found: 'nothing' }),
  },
  {
    form: /(?<machine>\w[\w ]*?) machine (?:does not|cannot) handle this event: HistoryEvent\(id: (?<event>\d+), (?<type>\w+)\)/,
    read: ({ machine, event, type }) => ({
      event: Number(event),
      expected: type ?? null,
      found: `another command (${machine?.toLowerCase()})`,
    }),
  },
  {
    form: /(?<what>Activity|Child workflow) type of (?:scheduled event|recorded marker) '(?<expected>[^']*)' does not match [^']*'(?<found>[^']*)'/,
    read: ({ what, expected, found }) => ({
      event: null,
      expected: `${what?.toLowerCase()} ${expected}`,
      found: `${what?.toLowerCase()} ${found}`,
    }),
  },
  {
    form: /Missing associated machine for LocalActivity\((?<seq>\d+)\)/,
    read: ({ seq }, history) => ({ ...findLocalActivity(history, Number(seq)), found: 'nothing, or another command' }),
  },
  {
    form: /patch marker encountered for change (?<patch>\S+?),/,
    read: ({ patch }) => ({ event: null, expected: `patch ${patch}`, found: 'no such patch' }),
  },
];

const PREAMBLE = /^Replay failed.*?Details: |^\[TMPRL1100\] Nondeterminism error: /;

/**
 * @param message of a `DeterminismViolationError` or a `ReplayError`
 * @param history of the run, to name the event that the message points to
 */
export function readDivergence(message: string, history: History): Divergence {
  const bare = message.replace(PREAMBLE, '').replace(PREAMBLE, '');
  for (const { form, read } of FORMS) {
    const groups = form.exec(bare)?.groups;
    if (!groups) continue;
    const found = read(groups, history);
    return { ...found, expected: nameEvent(history, found) ?? found.expected, message: bare };
  }
  return { event: null, expected: null, found: null, message: bare };
}

/** What the SDK core writes into the marker of a local activity. */
const markerSchema = z.object({ seq: z.number(), activity_type: z.string() });

/** @param seq counts the local activities of a run, from 1 */
function findLocalActivity({ events }: History, seq: number): Pick<Divergence, 'event' | 'expected'> {
  for (const { eventId, markerRecordedEventAttributes: marker } of events ?? []) {
    if (marker?.markerName !== 'core_local_activity') continue;
    const data = marker.details?.['data']?.payloads?.[0]?.data;
    const { success, data: written } = markerSchema.safeParse(JSON.parse(data ? new TextDecoder().decode(data) : 'null'));
    if (success && written.seq === seq) return { event: Number(eventId), expected: `local activity ${written.activity_type}` };
  }
  return { event: null, expected: 'local activity' };
}

/** @returns e.g. `ActivityTaskScheduled (chargePayment)` */
function nameEvent({ events }: History, { event, expected }: Omit<Divergence, 'message'>): string | undefined {
  const attributes = (events ?? []).find(({ eventId }) => Number(eventId) === event);
  const name = attributes?.activityTaskScheduledEventAttributes?.activityType?.name;
  return name && expected ? `${expected} (${name})` : undefined;
}
