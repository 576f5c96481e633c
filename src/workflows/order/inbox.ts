import { defineSignal, setHandler } from '@temporalio/workflow';
import type {
  CancelOrder,
  CarrierUpdate,
  DecideApproval,
  ResolveFailure,
  SettleCompensation,
} from '../../contracts/messages.ts';
import { SIGNALS } from '../../contracts/names.ts';
import type { OrderStep } from '../../contracts/statuses.ts';
import { cancelledBy } from '../errors.ts';

export const cancelOrder = defineSignal<[CancelOrder]>(SIGNALS.cancelOrder);
export const decideApproval = defineSignal<[DecideApproval]>(SIGNALS.decideApproval);
export const resolveFailure = defineSignal<[ResolveFailure]>(SIGNALS.resolveFailure);
export const settleCompensation = defineSignal<[SettleCompensation]>(SIGNALS.settleCompensation);
export const carrierUpdate = defineSignal<[CarrierUpdate]>(SIGNALS.carrierUpdate);

/** The messages that an order has received. Signal handlers only take notes: the story decides what they mean. */
export class Inbox {
  cancellation: CancelOrder | undefined;
  decision: DecideApproval | undefined;
  shipped: CarrierUpdate | undefined;
  rejected: CarrierUpdate | undefined;
  delivered = false;
  /** Whether the carrier has sent news that no parking has acted on. */
  hasCarrierNews = false;
  /** By the failure that each is about, until it is used. */
  readonly settlements = new Map<string, SettleCompensation>();
  readonly resolutions: ResolveFailure[] = [];
  /** Called after each cancellation and settlement. */
  readonly listeners = new Set<() => void>();

  get isCancelled(): boolean {
    return this.cancellation !== undefined;
  }

  /** Who has cancelled the order; undefined while nobody has. */
  get canceller(): string | undefined {
    return this.cancellation?.actor;
  }

  /** @throws ApplicationFailure `order_cancelled` if the order has been cancelled */
  stopIfCancelled(): void {
    if (this.cancellation) throw cancelledBy(this.cancellation.actor);
  }

  cancel(message: CancelOrder): void {
    this.cancellation ??= message;
    for (const listener of this.listeners) listener();
  }

  settle(message: SettleCompensation): void {
    this.settlements.set(message.failureId, message);
    for (const listener of this.listeners) listener();
  }

  /** @returns a settlement of a step that has not been used */
  settlementOf(step: OrderStep): SettleCompensation | undefined {
    return Array.from(this.settlements.values()).find((settlement) => settlement.step === step);
  }

  /** @returns the answer to one parking: the first, if there are several */
  resolutionOf({ failureId, occurrence }: Pick<ResolveFailure, 'failureId' | 'occurrence'>): ResolveFailure | undefined {
    return this.resolutions.find((answer) => answer.failureId === failureId && answer.occurrence === occurrence);
  }
}

/** Starts taking notes of the signals to one generation of an order. */
export function receiveMessages(generation: number): Inbox {
  const inbox = new Inbox();
  setHandler(cancelOrder, (message) => inbox.cancel(message));
  setHandler(settleCompensation, (message) => inbox.settle(message));
  setHandler(resolveFailure, (message) => {
    inbox.resolutions.push(message);
  });
  setHandler(decideApproval, (message) => {
    inbox.decision ??= message;
  });
  setHandler(carrierUpdate, (message) => {
    if (message.generation !== generation) return;
    inbox.hasCarrierNews = true;
    if (message.type === 'rejected') inbox.rejected = message;
    // Messages from carriers overtake each other: "delivered" implies "shipped".
    else inbox.shipped ??= message;
    if (message.type === 'delivered') inbox.delivered = true;
  });
  return inbox;
}
