import { attemptsOf, type AttemptEvent, type AttemptOutcome } from '../../queries/attempts.ts';

/** What the time of a step went into. */
export const SPENT = ['working', 'retrying', 'waiting'] as const;
export type Spent = (typeof SPENT)[number];

/** Some time of a step. In ms since 1970. */
export interface Span {
  spent: Spent;
  from: number;
  to: number;
}

/** How the time of something that was attempted is divided. */
interface Timed {
  step: string;
  events: readonly AttemptEvent[];
  /** Until when what has not ended goes on, e.g. now; undefined when it is over. */
  openUntil?: Date | undefined;
}

/** After these, nothing is retried. */
const ANSWERS: readonly AttemptOutcome[] = ['done', 'undone', 'refused'];

/**
 * @returns the time of a step: working during its attempts, retrying between them, and waiting while it is parked. A lost attempt
 * counts as retrying: nobody knows how long it worked. An approval waits for a person
 */
export function spansOf({ step, events, openUntil }: Timed): Span[] {
  const parked = events.filter(({ type }) => type === 'exhausted').map(({ at }) => at.getTime());
  const spans: Span[] = [];
  /** Adds the time between two attempts. */
  const between = (from: number, to: number): void => {
    const since = parked.find((at) => at >= from && at <= to) ?? to;
    if (since > from) spans.push({ spent: 'retrying', from, to: since });
    if (to > since) spans.push({ spent: 'waiting', from: since, to });
  };
  let last: number | undefined;
  for (const { startedAt, end } of attemptsOf(events)) {
    const from = startedAt.getTime();
    const to = (end?.at ?? openUntil ?? startedAt).getTime();
    if (last !== undefined) between(last, from);
    const spent = end?.type === 'lost' ? 'retrying' : 'working';
    spans.push({ spent: step === 'approval' ? 'waiting' : spent, from, to });
    // A call that was answered may be made again, long after.
    last = end && ANSWERS.includes(end.type) ? undefined : Math.max(last ?? to, to);
  }
  const isSettled = events.some(({ type }) => type === 'settled');
  if (openUntil && !isSettled && last !== undefined) between(last, openUntil.getTime());
  return spans;
}

/** @returns how much time was spent on each */
export const totals = (spans: readonly Span[]): { spent: Spent; ms: number }[] =>
  SPENT.flatMap((spent) => {
    const its = spans.filter((span) => span.spent === spent);
    return its.length === 0 ? [] : [{ spent, ms: its.reduce((sum, { from, to }) => sum + to - from, 0) }];
  });
