import type { Fault, FaultMode } from './faults.ts';

/** What each mode is called on a button, and how a simulator is while it lasts. */
export const FAULT_WORDS: Record<FaultMode, { button: string; state: string }> = {
  down: { button: 'Take down', state: 'is down' },
  error_before: { button: 'Fail before acting', state: 'fails before it acts' },
  error_after_commit: { button: 'Act, then fail', state: 'fails after it has acted' },
  drop_after_commit: { button: 'Act, then lose the answer', state: 'acts, but its answer is lost' },
  rate_limit: { button: 'Limit the rate', state: 'limits the rate' },
  slow: { button: 'Slow down', state: 'is slow' },
};

/** What a setting of one mode adds to its button. */
export const SETTING_WORDS: Readonly<Record<string, string>> = { delayMs: 'by … ms' };

/** @returns how a simulator is, to be read after its name, e.g. `is down, for the next 2 requests` */
export function faultText(fault: Fault | null): string {
  if (fault === null) return 'works';
  const { mode, count, rate, operation } = fault;
  const limits = [
    count !== undefined && `for the next ${count === 1 ? 'request' : `${count} requests`}`,
    rate < 1 && `for ${Math.round(rate * 100)} % of the requests`,
    operation !== undefined && `only ${operation}`,
  ].filter(Boolean);
  const by = mode === 'slow' ? ` by ${fault.delayMs} ms` : '';
  return [`${FAULT_WORDS[mode].state}${by}`, ...limits].join(', ');
}
