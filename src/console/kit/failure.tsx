import type { FailureKind } from '../../contracts/statuses.ts';
import type { Failure, FailureEvent, FailureStory } from '../../queries/failures.ts';
import { capital, Subject, words } from './format.tsx';
import type { Tone } from './status.tsx';
import type { Moment } from './timeline.tsx';

/** How a failure of each kind is called, by the step that failed. */
const NAMES: Record<FailureKind, (step: string) => string> = {
  step: (step) => `Step: ${step}`,
  compensation: (step) => `Compensation: ${step}`,
  email: (step) => `Email: ${step}`,
  command: capital,
  run: () => 'Broken run',
  late_shipment: () => 'Late shipment',
  unexpected_shipment: () => 'Unexpected shipment',
  discrepancy: (check) => `Difference: ${check}`,
  refund: () => 'Failed refund',
  dispute: () => 'Disputed payment',
};

/** @returns what a failure is called, e.g. `Step: ship` */
export const failureName = ({ kind, step }: Pick<Failure, 'kind' | 'step'>): string => NAMES[kind](words(step));

/** The order or signup of a failure. */
export const FailureSubject = ({ failure }: { failure: Failure }) =>
  failure.orderId || failure.signupId ? <Subject of={failure} /> : <code>{failure.workflowId}</code>;

const EVENTS: Record<FailureEvent['type'], { what: string; tone: Tone }> = {
  opened: { what: 'Failure opened', tone: 'bad' },
  reopened: { what: 'Failed again', tone: 'bad' },
  retry_requested: { what: 'Retry requested', tone: 'busy' },
  cancel_requested: { what: 'Cancellation requested', tone: 'busy' },
  settlement_requested: { what: 'Settlement requested', tone: 'busy' },
  restart_requested: { what: 'Restart requested', tone: 'busy' },
  reset_requested: { what: 'Reset requested', tone: 'busy' },
  fix_requested: { what: 'Fix requested', tone: 'busy' },
  resolved: { what: 'Failure resolved', tone: 'good' },
  cancelled: { what: 'Failure closed: order cancelled', tone: 'quiet' },
  settled: { what: 'Settled by hand', tone: 'good' },
};

/** @returns what happened to a failure and what was done about it */
export const failureMoments = ({ events }: FailureStory): Moment[] =>
  events.map(({ type, at, actor, reason }) => ({ ...EVENTS[type], at, actor, detail: reason }));
