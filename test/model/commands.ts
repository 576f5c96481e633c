import * as fc from 'fast-check';
import { WISHES, type Wish } from './order-model.ts';

/** Something that happens to the shop. `order` and `failure` are indexes, counted round. */
export type Command =
  | { do: 'place'; wish: Wish }
  | { do: 'cancel' | 'approve' | 'reject' | 'restart'; order: number }
  | { do: 'retry' | 'give up' | 'settle'; order: number; failure: number }
  /** The parcel moves on, or is rejected if it has not left yet. The carrier's message about it waits. */
  | { do: 'parcel'; order: number; moves: 'on' | 'back' }
  /** One of these messages arrives: perhaps late, before an earlier one, or again, with the same event id or as a new event. */
  | { do: 'message'; order: number; message: number; again: 'same event' | 'new event' }
  | { do: 'break'; service: 'payments' | 'warehouse'; condition: 'down' | 'losing answers' }
  | { do: 'repair' }
  | { do: 'wait'; until: 'an hour has passed' | 'the next deadline' };

const order = fc.nat(1);
const failure = fc.nat(2);

const place = fc.record({
  do: fc.constant('place' as const),
  wish: fc.oneof({ arbitrary: fc.constant<Wish>('plain'), weight: 4 }, { arbitrary: fc.constantFrom(...WISHES), weight: 4 }),
});

const breakdown = fc.record({
  do: fc.constant('break' as const),
  service: fc.constantFrom('payments', 'warehouse'),
  condition: fc.constantFrom('down', 'losing answers'),
});

const next = fc.oneof(
  { arbitrary: place, weight: 1 },
  { arbitrary: fc.record({ do: fc.constantFrom('cancel', 'approve', 'reject', 'restart'), order }), weight: 6 },
  { arbitrary: fc.record({ do: fc.constantFrom('retry', 'retry', 'give up', 'settle'), order, failure }), weight: 5 },
  { arbitrary: fc.record({ do: fc.constant('parcel' as const), order, moves: fc.constantFrom('on', 'on', 'on', 'back') }), weight: 5 },
  {
    arbitrary: fc.record({
      do: fc.constant('message' as const),
      order,
      message: fc.nat(2),
      again: fc.constantFrom('same event', 'new event'),
    }),
    weight: 5,
  },
  { arbitrary: breakdown, weight: 3 },
  { arbitrary: fc.constant({ do: 'repair' as const }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('wait' as const), until: fc.constantFrom('an hour has passed', 'the next deadline') }), weight: 4 },
);

/** What happens in one run, beginning with an order or with the breakdown of a service. */
export const scripts: fc.Arbitrary<Command[]> = fc
  .tuple(fc.option(breakdown), place, fc.array<Command>(next, { maxLength: 8 }))
  .map(([broken, first, others]) => [...(broken ? [broken] : []), first, ...others]);

/** @returns a command on one line, for people to read */
export const describeCommand = ({ do: what, ...details }: Command): string =>
  [what, ...Object.entries(details).map(([name, value]) => `${name}=${value}`)].join(' ');
