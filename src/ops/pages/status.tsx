import { words } from './format.tsx';

/** How a status is meant. Each has a shape of its own as well as a colour. */
type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'quiet';

const SHAPES: Record<Tone, string> = { good: '✓', busy: '◔', warn: '▲', bad: '✕', quiet: '–' };

const TONES: Record<string, Tone> = {
  // orders
  accepted: 'busy',
  reserved: 'busy',
  awaiting_approval: 'warn',
  charged: 'busy',
  fulfilling: 'busy',
  shipped: 'busy',
  completed: 'good',
  needs_attention: 'bad',
  compensating: 'warn',
  cancelled: 'quiet',
  failed: 'bad',
  // signups
  pending_verification: 'busy',
  verified: 'busy',
  trial: 'busy',
  subscribed: 'good',
  expired: 'quiet',
  ended: 'quiet',
  // failures
  open: 'bad',
  retrying: 'busy',
  resolved: 'good',
  settled: 'good',
  // steps
  running: 'busy',
  exhausted: 'bad',
  refused: 'warn',
  done: 'good',
  undone: 'quiet',
  // bulk replays and their items
  paused: 'warn',
  pending: 'busy',
  requested: 'busy',
  under_way: 'busy',
  failed_again: 'bad',
  // money and parcels
  captured: 'good',
  declined: 'warn',
  refunded: 'quiet',
  delivered: 'good',
  rejected: 'bad',
  // commands
  set_aside: 'bad',
  discarded: 'quiet',
  // parts
  ok: 'good',
  failing: 'bad',
  'not answering': 'bad',
};

/** A status: its word, with a shape and a colour that say the same. */
export const Status = ({ of }: { of: string }) => {
  const tone = TONES[of] ?? 'quiet';
  return (
    <span class={`status ${tone}`}>
      <span aria-hidden="true">{SHAPES[tone]}</span> {words(of)}
    </span>
  );
};
