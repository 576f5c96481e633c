import Long from 'long';
import { describe, expect, it } from 'vitest';
import { resetPoint } from '../../src/temporal/reset.ts';

type Event = Parameters<typeof resetPoint>[0][number];

const started: Event = { workflowExecutionStartedEventAttributes: {} };
const signal: Event = { workflowExecutionSignaledEventAttributes: {} };
const completed: Event = { workflowTaskCompletedEventAttributes: {} };
const failed: Event = { workflowTaskFailedEventAttributes: {} };
const timedOut: Event = { workflowTaskTimedOutEventAttributes: {} };
const ended: Event = { workflowExecutionFailedEventAttributes: {} };

/** @returns a history, its events numbered from 1 */
const history = (...events: Event[]) => events.map((event, index) => ({ ...event, eventId: Long.fromNumber(index + 1) }));

describe('a reset goes back to', () => {
  it('the workflow task that ended the run', () => {
    expect(resetPoint(history(started, completed, signal, completed, ended))).toBe(4);
  });

  it('the workflow task that fails', () => {
    expect(resetPoint(history(started, completed, signal, failed))).toBe(4);
    expect(resetPoint(history(started, completed, signal, timedOut))).toBe(4);
  });

  it('the one that fails now, not to one that the run got past', () => {
    expect(resetPoint(history(started, failed, completed, signal, completed, signal, failed))).toBe(7);
  });

  it('the task that ended the run, not to where an earlier reset began', () => {
    expect(resetPoint(history(started, completed, failed, completed, signal, completed, ended))).toBe(6);
  });

  it('the workflow task that led to the named event', () => {
    expect(resetPoint(history(started, completed, signal, completed, ended), 3)).toBe(2);
  });

  it('nowhere when no workflow task has finished', () => {
    expect(resetPoint(history(started, ended))).toBeUndefined();
  });
});
