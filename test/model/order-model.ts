import type { RefusalType } from '../../src/contracts/errors.ts';
import type { RequestErrorType } from '../../src/contracts/request-error.ts';
import type { CancellationStatus, FailureKind, FailureStatus, OrderStatus, OrderStep } from '../../src/contracts/statuses.ts';

/** What should become of an order, as simply as it can be said: no database, no Temporal, no activities. Time is in ms. */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How an outside service behaves. `losing answers`: it does what it is asked, and the caller never hears of it. */
export type Condition = 'up' | 'down' | 'losing answers';

/** What the orders of one run share. */
export interface World {
  now: number;
  payments: Condition;
  warehouse: Condition;
}

/** What is ordered. Each kind takes another path. */
export const WISHES = ['plain', 'dear', 'sold out', 'declined', 'undeliverable'] as const;
export type Wish = (typeof WISHES)[number];

/** What the carrier tells about a parcel. */
export type News = 'shipped' | 'delivered' | 'rejected';

interface ModelFailure {
  kind: FailureKind;
  step: OrderStep;
  status: FailureStatus;
  generation: number;
}

/** Why an order is at rest, and until when. */
type Rest =
  | { at: 'approval' | 'charging' | 'carrier' | 'transit'; until: number }
  | { at: 'parked'; step: 'charge' | 'ship'; until: number }
  /** The warehouse has to say whether the parcel can be stopped. `ifLeft`: what to go back to if it has left. */
  | { at: 'withdrawing'; because: RefusalType; ifLeft: 'ship' | { reminderAt: number } }
  | { at: 'undoing'; because: RefusalType }
  | { at: 'ended' };

/** `done`, or why the request is refused. */
export type Answer = 'done' | RequestErrorType;

type State = 'running' | 'retrying' | 'exhausted' | 'refused' | 'done' | 'undone';

/** All twelve attempts of a charge, on average. */
const CHARGE_ATTEMPTS = 1_111 * SECOND;

/** Everything that is compared with the real order. */
export interface Expectation {
  status: OrderStatus;
  generation: number;
  failureType: RefusalType | null;
  cancellation: CancellationStatus | null;
  /** captured − refunded in all generations, as a number of totals of the order */
  paid: number;
  /** charges at the provider in this generation */
  charges: number;
  reserved: boolean;
  parcel: 'none' | 'accepted' | 'cancelled' | News;
  invoice: 'none' | 'valid' | 'void';
  saga: Partial<Record<OrderStep | `undo ${OrderStep}`, State>>;
  failures: string[];
}

/** One order: the story of `src/workflows/order.ts`, told without retries. */
export class ModelOrder {
  readonly wish: Wish;
  readonly #world: World;
  rest: Rest = { at: 'ended' };
  status: OrderStatus = 'accepted';
  generation = 0;
  parcel: Expectation['parcel'] = 'none';
  readonly failures: ModelFailure[] = [];
  #failureType: RefusalType | null = null;
  #cancellation: CancellationStatus | null = null;
  #paid = false;
  /** Whether the provider knows the payment. */
  #isIntended = false;
  #charges = 0;
  #reserved = false;
  #invoice: Expectation['invoice'] = 'none';
  #steps: Partial<Record<OrderStep, State>> = {};
  #undone: Partial<Record<OrderStep, State>> = {};
  #news = new Set<News>();

  constructor(wish: Wish, world: World) {
    this.wish = wish;
    this.#world = world;
    this.#begin();
  }

  get expectation(): Expectation {
    const undone = Object.fromEntries(Object.entries(this.#undone).map(([step, state]) => [`undo ${step}`, state]));
    return {
      status: this.status,
      generation: this.generation,
      failureType: this.#failureType,
      cancellation: this.#cancellation,
      paid: this.#paid ? 1 : 0,
      charges: this.#charges,
      reserved: this.#reserved,
      parcel: this.parcel,
      invoice: this.#invoice,
      saga: { ...this.#steps, ...undone },
      failures: this.failures.map(({ kind, step, status }) => `${kind} ${step}: ${status}`),
    };
  }

  // -------------------------------------------------------------- what people ask

  cancel(): Answer {
    if (this.#cancellation === 'refused') return 'order_not_cancellable';
    if (this.#cancellation !== null && this.status !== 'failed') return 'done';
    if (['shipped', 'completed', 'compensating', 'cancelled', 'failed'].includes(this.status)) return 'order_not_cancellable';
    this.#cancellation = 'requested';
    if (this.rest.at !== 'withdrawing') this.#giveUp('order_cancelled');
    return 'done';
  }

  decide(decision: 'approve' | 'reject'): Answer {
    if (this.rest.at !== 'approval') return 'approval_not_awaited';
    this.#steps.approval = decision === 'approve' ? 'done' : 'refused';
    if (decision === 'reject') this.#undo('order_rejected');
    else {
      this.status = 'reserved';
      this.#charge();
    }
    return 'done';
  }

  resolve(failure: ModelFailure, action: 'retry' | 'give up'): Answer {
    if (failure.kind !== 'step' || failure.status !== 'open') return 'failure_not_open';
    if (this.#cancellation === 'requested') return 'already_requested';
    if (action === 'give up') {
      if (this.#cancellation === 'refused') return 'order_not_cancellable';
      this.#cancellation = 'requested';
    }
    if (action === 'retry') failure.status = 'retrying';
    if (this.rest.at !== 'parked') return 'done';
    if (action === 'give up') this.#giveUp('order_cancelled');
    else this.#retry(this.rest.step);
    return 'done';
  }

  settle(failure: ModelFailure): Answer {
    if (failure.status !== 'open' || failure.kind === 'step') return 'failure_not_open';
    failure.status = 'settled';
    if (failure.kind === 'compensation') this.#goOnAfter(failure.step);
    return 'done';
  }

  restart(): Answer {
    if (this.status !== 'failed') return 'order_not_failed';
    this.#begin();
    return 'done';
  }

  // -------------------------------------------------------------- what happens outside

  /** A message of the carrier arrives. */
  receive(news: News, generation: number): void {
    if (generation !== this.generation) return;
    this.#news.add(news);
    this.#readNews();
  }

  /** The services are back, and everything that was waiting for its next attempt has made it. */
  tryAgain(): void {
    if (this.rest.at === 'charging') this.#charge();
    else if (this.rest.at === 'withdrawing') {
      this.#close('compensation', 'ship', 'resolved');
      this.#withdraw(this.rest.because, this.rest.ifLeft);
    } else if (this.rest.at === 'undoing') this.#undo(this.rest.because);
  }

  /** What comes due by now, happens. */
  catchUp(): void {
    while ('until' in this.rest && this.rest.until <= this.#world.now) this.#onDue(this.rest);
  }

  #onDue(rest: Extract<Rest, { until: number }>): void {
    switch (rest.at) {
      case 'approval':
        this.#steps.approval = 'refused';
        return this.#undo('order_rejected');
      case 'charging':
        return this.#park('charge', rest.until);
      case 'parked':
        return this.#giveUp('parking_deadline_passed');
      case 'carrier':
        this.#open('late_shipment', 'ship');
        this.rest = { at: 'carrier', until: rest.until + DAY };
        return;
      case 'transit':
        return this.#complete();
    }
  }

  // -------------------------------------------------------------- the story

  #begin(): void {
    this.generation += 1;
    this.status = 'accepted';
    this.parcel = 'none';
    this.#failureType = null;
    this.#cancellation = null;
    this.#isIntended = false;
    this.#charges = 0;
    this.#invoice = 'none';
    this.#steps = {};
    this.#undone = {};
    this.#news = new Set();
    this.#reserve();
  }

  #reserve(): void {
    if (this.wish === 'sold out') {
      this.#steps.reserve = 'refused';
      return this.#undo('out_of_stock');
    }
    this.#steps.reserve = 'done';
    this.#reserved = true;
    this.status = 'reserved';
    if (this.wish !== 'dear') return this.#charge();
    this.#steps.approval = 'running';
    this.status = 'awaiting_approval';
    this.rest = { at: 'approval', until: this.#world.now + 2 * DAY };
  }

  #charge(): void {
    const { now, payments } = this.#world;
    this.#isIntended ||= payments !== 'down';
    // Only the answer to the confirmation is lost. The next attempt reads the payment, and learns of a success.
    const hears = payments === 'up' || (payments === 'losing answers' && this.wish !== 'declined');
    if (!hears) {
      this.#steps.charge = 'retrying';
      this.rest = { at: 'charging', until: now + CHARGE_ATTEMPTS };
      return;
    }
    if (this.wish === 'declined') {
      this.#steps.charge = 'refused';
      return this.#undo('card_declined');
    }
    this.#steps.charge = 'done';
    this.#charges = 1;
    this.#paid = true;
    this.status = 'charged';
    this.#close('step', 'charge', 'resolved');
    this.#ship();
  }

  #ship(): void {
    const { now, warehouse } = this.#world;
    const isDeliverable = this.wish !== 'undeliverable';
    if (warehouse !== 'down' && isDeliverable && this.parcel === 'none') this.parcel = 'accepted';
    if (warehouse !== 'up') return this.#park('ship', now);
    if (!isDeliverable) {
      this.#steps.ship = 'refused';
      return this.#undo('invalid_address');
    }
    this.#steps.ship = 'done';
    this.#close('step', 'ship', 'resolved');
    this.#steps.invoice = 'done';
    this.#invoice = 'valid';
    this.status = 'fulfilling';
    this.#awaitCarrier(now + 2 * DAY);
  }

  #awaitCarrier(reminderAt: number): void {
    this.rest = { at: 'carrier', until: Math.max(reminderAt, this.#world.now) };
    this.#readNews();
    this.catchUp();
  }

  #retry(step: 'charge' | 'ship'): void {
    this.status = step === 'charge' ? 'reserved' : 'charged';
    const failure = this.#live('step', step);
    if (failure) failure.status = 'retrying';
    if (step === 'charge') this.#charge();
    else this.#ship();
  }

  #readNews(): void {
    const { now } = this.#world;
    // A parcel that moves proves that the warehouse has the order.
    if (this.rest.at === 'parked' && this.rest.step === 'ship') this.#retry('ship');
    if (this.rest.at === 'carrier') {
      if (this.#news.has('shipped') || this.#news.has('delivered')) {
        this.status = 'shipped';
        this.#settleCancellation('refused');
        this.#close('late_shipment', 'ship', 'resolved');
        this.rest = { at: 'transit', until: now + 14 * DAY };
      } else if (this.#news.has('rejected')) this.#undo('shipment_rejected');
    }
    if (this.rest.at === 'transit' && this.#news.has('delivered')) this.#complete();
  }

  #complete(): void {
    this.status = 'completed';
    this.rest = { at: 'ended' };
  }

  #park(step: 'charge' | 'ship', at: number): void {
    this.#steps[step] = 'exhausted';
    this.#open('step', step);
    this.status = 'needs_attention';
    this.rest = { at: 'parked', step, until: at + 7 * DAY };
  }

  /** Undoes the order, unless the warehouse may have it: then it is asked first. */
  #giveUp(because: RefusalType): void {
    if (this.rest.at === 'carrier') this.#withdraw(because, { reminderAt: this.rest.until });
    else if (this.rest.at === 'parked' && this.rest.step === 'ship') this.#withdraw(because, 'ship');
    else this.#undo(because);
  }

  /** Asks the warehouse whether the parcel can still be stopped. */
  #withdraw(because: RefusalType, ifLeft: 'ship' | { reminderAt: number }): void {
    const { warehouse } = this.#world;
    const hasLeft = this.parcel === 'shipped' || this.parcel === 'delivered';
    if (warehouse !== 'down' && !hasLeft) this.parcel = 'cancelled';
    if (warehouse !== 'up') {
      this.#open('compensation', 'ship');
      this.rest = { at: 'withdrawing', because, ifLeft };
    } else if (!hasLeft) this.#undo(because);
    else {
      this.#settleCancellation('refused');
      if (ifLeft === 'ship') this.#retry('ship');
      else this.#awaitCarrier(ifLeft.reminderAt);
    }
  }

  /** Undoes the steps that were begun, last first, as far as the services let it. */
  #undo(because: RefusalType): void {
    this.status = 'compensating';
    this.rest = { at: 'undoing', because };
    this.#cancelFailures(({ kind }) => kind === 'step');
    for (const step of (['invoice', 'ship', 'charge', 'reserve'] as const).filter((name) => this.#steps[name])) {
      if (this.#undone[step] === 'done') continue;
      if (!this.#undoOutside(step)) {
        this.#undone[step] = 'retrying';
        this.#open('compensation', step);
        return;
      }
      this.#recordUndone(step);
      this.#close('compensation', step, 'resolved');
    }
    this.#end(because);
  }

  /** @returns whether we hear that it is undone */
  #undoOutside(step: OrderStep): boolean {
    const { payments, warehouse } = this.#world;
    switch (step) {
      case 'ship':
        if (warehouse !== 'down') this.parcel = 'cancelled';
        return warehouse === 'up';
      case 'charge':
        if (payments === 'down' && this.#isIntended) return false;
        this.#paid = false;
        return true;
      case 'reserve':
        this.#reserved = false;
        return true;
      case 'invoice':
        this.#invoice = 'void';
        return true;
      case 'approval':
        return true;
    }
  }

  #recordUndone(step: OrderStep): void {
    this.#undone[step] = 'done';
    const state = this.#steps[step];
    if (state === 'done' || state === 'retrying' || state === 'running') this.#steps[step] = 'undone';
  }

  /** A person has undone a step by hand. */
  #goOnAfter(step: OrderStep): void {
    if (step === 'ship') this.parcel = 'cancelled';
    if (step === 'charge') this.#paid = false;
    this.#recordUndone(step);
    if ('because' in this.rest) this.#undo(this.rest.because);
  }

  #end(because: RefusalType): void {
    if (this.#steps.approval === 'running') this.#steps.approval = 'refused';
    this.#cancelFailures(() => true);
    this.#failureType = because;
    this.#settleCancellation('done');
    this.status = because === 'order_cancelled' ? 'cancelled' : 'failed';
    this.rest = { at: 'ended' };
  }

  #settleCancellation(outcome: CancellationStatus): void {
    if (this.#cancellation === 'requested') this.#cancellation = outcome;
  }

  #cancelFailures(isMeant: (failure: ModelFailure) => boolean): void {
    for (const failure of this.failures) {
      if (isLive(failure) && failure.generation === this.generation && isMeant(failure)) failure.status = 'cancelled';
    }
  }

  #live(kind: FailureKind, step: OrderStep): ModelFailure | undefined {
    return this.failures.find((failure) => failure.kind === kind && failure.step === step && isLive(failure));
  }

  #open(kind: FailureKind, step: OrderStep): void {
    const live = this.#live(kind, step);
    if (live) {
      live.status = 'open';
    } else this.failures.push({ kind, step, status: 'open', generation: this.generation });
  }

  #close(kind: FailureKind, step: OrderStep, status: FailureStatus): void {
    const live = this.#live(kind, step);
    if (live) live.status = status;
  }
}

const isLive = ({ status }: ModelFailure): boolean => status === 'open' || status === 'retrying';
