import type { Tone } from '../../console/kit/status.tsx';
import type { OrderStatus, OrderStep } from '../../contracts/statuses.ts';
import type { Order, Step } from './backend.ts';

/** Something that happened to an order, or that is happening. */
export interface Entry {
  at: string;
  tone: Tone;
  title: string;
  detail?: string | undefined;
}

type Words = { doing: string; done: string; undoing: string; undone: string };

const WORDS: Record<OrderStep, Words> = {
  reserve: { doing: 'Reserving the stock', done: 'Stock reserved', undoing: 'Releasing the stock', undone: 'Stock released' },
  approval: { doing: 'Waiting for approval', done: 'Approved', undoing: 'Withdrawing the approval', undone: 'Approval withdrawn' },
  charge: { doing: 'Charging the card', done: 'Card charged', undoing: 'Refunding the payment', undone: 'Payment refunded' },
  ship: {
    doing: 'Asking the warehouse to ship',
    done: 'Accepted by the warehouse',
    undoing: 'Calling the parcel back',
    undone: 'Shipment cancelled',
  },
  invoice: { doing: 'Writing the invoice', done: 'Invoice written', undoing: 'Voiding the invoice', undone: 'Invoice voided' },
};

/** What the status of an order means to somebody who sees it for the first time. */
export const STATUS_TEXTS: Record<OrderStatus, string> = {
  accepted: 'The order is stored. A worker picks it up.',
  reserved: 'The stock is reserved.',
  awaiting_approval: 'An order of this size waits for a person. Approve it on the operator’s page.',
  charged: 'The card is charged. Next is the warehouse.',
  fulfilling: 'The warehouse packs the parcel. Until it leaves, the order can be cancelled.',
  shipped: 'The parcel is on its way.',
  completed: 'The parcel has arrived. The run has ended.',
  needs_attention:
    'A step has used up its retries, so the order is parked. Nothing is lost or undone: it waits for a decision. Heal the service, then retry the failure on the operator’s page, or cancel the order here.',
  compensating: 'What was done is being undone, in reverse order. This never gives up: a service that is down delays it.',
  cancelled: 'The order is cancelled, and what was done for it is undone.',
  failed: 'The order could not be completed, and what was done for it is undone.',
};

/** @returns what happened to an order, in order, each at the time at which it happened */
export function timelineOf(order: Order, steps: Step[]): Entry[] {
  const { shipment, payment, failure } = order;
  const entries: Entry[] = [{ at: order.createdAt, tone: 'good', title: 'Order accepted' }, ...steps.map((step) => entryOf(step, steps))];
  if (shipment?.shippedAt) {
    const detail = `${shipment.carrier ?? 'The carrier'}, tracking number ${shipment.trackingNumber ?? 'unknown'}`;
    entries.push({ at: shipment.shippedAt, tone: 'good', title: 'Shipped', detail });
  }
  if (shipment?.deliveredAt) entries.push({ at: shipment.deliveredAt, tone: 'good', title: 'Delivered' });
  const sorted = entries.toSorted((one, other) => one.at.localeCompare(other.at));
  if (order.status === 'failed') sorted.push({ at: order.updatedAt, tone: 'bad', title: 'Order failed', detail: failure?.message });
  if (order.status === 'cancelled') {
    const detail = payment && payment.refunded > 0 ? 'Everything that was paid is refunded.' : 'Nothing had to be refunded.';
    sorted.push({ at: order.updatedAt, tone: 'quiet', title: 'Order cancelled', detail });
  }
  return sorted;
}

const FAILED: readonly Step['state'][] = ['refused', 'exhausted', 'interrupted'];

/** A step that is undone without having finished was interrupted: it never succeeded. */
const stateOf = ({ state, finishedAt }: Step): Step['state'] => (state === 'undone' && finishedAt === null ? 'interrupted' : state);

function entryOf(one: Step, all: Step[]): Entry {
  const { step, kind, attempts, error, startedAt, finishedAt, events, generation } = one;
  const { doing, done } = kind === 'step' ? WORDS[step] : { doing: WORDS[step].undoing, done: WORDS[step].undone };
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  // A parked step is not finished, but it has ended.
  const ended = finishedAt ?? events.at(-1)?.at ?? startedAt;
  const failed = all.some((other) => other.kind === 'step' && other.step === step && other.generation === generation && FAILED.includes(stateOf(other)));
  const precaution = kind === 'compensation' && failed ? 'In case the failed attempt did something after all.' : undefined;
  switch (stateOf(one)) {
    case 'running':
      return { at: startedAt, tone: 'busy', title: `${doing} …` };
    case 'retrying':
      return { at: startedAt, tone: 'warn', title: `${doing} …`, detail: `Failed after ${tries}. It is retried.` };
    case 'exhausted':
      return { at: ended, tone: 'bad', title: `${doing} failed`, detail: `Parked after ${tries}: ${error?.message ?? 'unknown'}` };
    case 'refused':
      return { at: ended, tone: 'bad', title: `${doing} was refused`, detail: error?.message };
    case 'interrupted':
      return { at: ended, tone: 'quiet', title: `${doing} was interrupted` };
    case 'done':
    case 'undone':
      return { at: ended, tone: kind === 'step' ? 'good' : 'quiet', title: done, detail: attempts > 1 ? `${tries}, done once.` : precaution };
  }
}
