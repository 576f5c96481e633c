import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { OrderRef } from '../contracts/ids.ts';
import type {
  CancelOrder,
  CarrierUpdate,
  DecideApproval,
  OrderInput,
  OrderResult,
  ResolveFailure,
  SettleCompensation,
} from '../contracts/messages.ts';
import { SIGNALS, STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import type { OrderStatus, OrderStep } from '../contracts/statuses.ts';
import { bookkeeping, compensation, database, email, localCompensation, payment, warehouse } from './activities.ts';
import { Emails } from './emails.ts';
import { asRefusal, describeError, refusal } from './errors.ts';
import { Saga, type Compensation } from './saga.ts';

export const cancelOrder = defineSignal<[CancelOrder]>(SIGNALS.cancelOrder);
export const decideApproval = defineSignal<[DecideApproval]>(SIGNALS.decideApproval);
export const resolveFailure = defineSignal<[ResolveFailure]>(SIGNALS.resolveFailure);
export const settleCompensation = defineSignal<[SettleCompensation]>(SIGNALS.settleCompensation);
export const carrierUpdate = defineSignal<[CarrierUpdate]>(SIGNALS.carrierUpdate);

/**
 * One order, from accepted to delivered.
 *
 * A business refusal (see `contracts/errors.ts`) undoes what was done and ends the run as Failed, with the refusal as
 * its type. Trouble that outlives its retry budget parks the run instead: it waits for `resolveFailure`.
 */
export async function order(input: OrderInput): Promise<OrderResult> {
  const { policy } = input;
  const ref: OrderRef = { orderId: input.orderId, generation: input.generation };
  const inbox = receiveMessages(ref.generation);
  const saga = new Saga();
  const emails = new Emails((template, error) => bookkeeping.recordFailedEmail({ ...ref, template, ...error }));
  const sendEmail = (template: Parameters<typeof email.sendOrderEmail>[1], occurrence = 1) =>
    emails.send(template, () => email.sendOrderEmail(ref, template, occurrence));

  async function story(): Promise<void> {
    tell('accepted', 'Reserving the stock.');
    saga.compensateWith('reserve', () => localCompensation.releaseStock(ref));
    await attempt('reserve', () => database.reserveStock(ref));

    if (input.amount > policy.approvalThreshold) await approval();
    stopIfCancelled();

    tell('reserved', 'Charging the payment.');
    saga.compensateWith('charge', () => compensation.refundPayment(ref));
    await attempt('charge', () => unless(isCancelled, () => payment.chargePayment(ref)));
    stopIfCancelled();

    tell('charged', 'Handing the order to the warehouse.');
    sendEmail('order_confirmed');
    saga.compensateWith('ship', () => compensation.cancelShipment(ref));
    await attempt('ship', () => warehouse.requestShipment(ref));

    saga.compensateWith('invoice', () => localCompensation.voidInvoice(ref));
    await attempt('invoice', () => database.issueInvoice(ref));

    tell('fulfilling', 'The warehouse has it. Waiting for the carrier.');
    await shipped();
    tell('shipped', 'On its way to the customer.');
    sendEmail('order_shipped');

    // Carriers lose "delivered" messages: after the deadline a parcel that nobody missed counts as delivered.
    await condition(() => inbox.delivered, policy.deliveryDeadline);
    await bookkeeping.completeOrder(ref, { delivered: inbox.delivered });
    // Runs that completed before this email existed must replay without it (see docs/changing-workflows.md).
    if (inbox.delivered && patched('email-on-delivery')) sendEmail('order_delivered');
    tell('completed', inbox.delivered ? 'Delivered.' : 'No word from the carrier in time: taken as delivered.');
  }

  /** A person decides. They are reminded once, half way; no answer is a no. */
  async function approval(): Promise<void> {
    await bookkeeping.requestApproval(ref);
    tell('awaiting_approval', 'The amount is above the threshold: waiting for a person to approve it.');
    sendEmail('approval_requested');
    const answered = () => inbox.decision !== undefined || isCancelled();
    if (!(await condition(answered, policy.approvalDeadline / 2))) {
      sendEmail('approval_reminder');
      await condition(answered, policy.approvalDeadline / 2);
    }
    stopIfCancelled();
    const answer = inbox.decision ?? {
      decision: 'reject',
      reason: 'Nobody approved it in time.',
      actor: 'holdfast',
    };
    const { decision } = await bookkeeping.recordApproval(ref, answer);
    if (decision === 'reject') throw refusal('order_rejected', answer.reason);
  }

  /** Waits for the carrier, and reminds operations while it is late. */
  async function shipped(): Promise<void> {
    let patience = policy.lateShipmentAfter;
    for (let reminders = 0; ; ) {
      const news = await condition(
        () => inbox.shipped !== undefined || inbox.rejected !== undefined || isCancelled(),
        patience,
      );
      if (inbox.shipped) {
        await bookkeeping.recordShipped(ref, inbox.shipped);
        return;
      }
      if (inbox.rejected) throw refusal('shipment_rejected', inbox.rejected.reason ?? 'The warehouse rejected it.');
      if (news) await withdraw();
      else {
        reminders += 1;
        patience = policy.lateShipmentEvery;
        await bookkeeping.recordLateShipment(ref);
        sendEmail('late_shipment', reminders);
      }
    }
  }

  /** A parcel that has left cannot be called back: the warehouse is asked before anything is undone. */
  async function withdraw(): Promise<void> {
    let withdrawn = true;
    await untilSettled('ship', async () => {
      ({ withdrawn } = await compensation.withdrawShipment(ref));
    });
    if (withdrawn) stopIfCancelled();
    inbox.cancellation = undefined;
    await bookkeeping.recordCancellationRefused(ref);
  }

  /** Runs a step until it succeeds or is refused. When its retry budget is spent, the order parks; a retry starts a fresh budget. */
  async function attempt<Result>(step: OrderStep, run: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (isCancellation(error)) stopIfCancelled();
        if (asRefusal(error)) throw error;
        await park(step, error);
      }
    }
  }

  /** Waits, durably and at no cost, until a person says how to go on. Meanwhile nothing is undone. */
  async function park(step: OrderStep, error: unknown): Promise<void> {
    stopIfCancelled();
    const failure = await bookkeeping.parkOrder(ref, step, describeError(error));
    tell('needs_attention', `The step "${step}" has used up its retries. Waiting for a retry or a cancellation.`);
    const resolution = () => inbox.resolutions.get(resolutionKey(failure));
    await condition(() => resolution() !== undefined || isCancelled(), policy.parkingDeadline);
    stopIfCancelled();
    const answer = resolution();
    if (!answer) throw refusal('parking_deadline_passed', `Nobody mended the step "${step}" in time.`);
    if (answer.action === 'cancel') throw refusal('order_cancelled', answer.reason);
    const status = await bookkeeping.resumeOrder(ref, failure.failureId);
    tell(status, `Trying the step "${step}" again.`);
  }

  /** Interrupts what may retry for long, once a message makes it needless. The activity is waited for, so its outcome is known. */
  async function unless<Result>(needless: () => boolean, run: () => Promise<Result>): Promise<Result> {
    const scope = new CancellationScope();
    inbox.onMessage = () => {
      if (needless()) scope.cancel();
    };
    inbox.onMessage();
    try {
      return await scope.run(run);
    } finally {
      inbox.onMessage = undefined;
    }
  }

  /** Undoes one step, or writes down that a person has. */
  async function undo({ step, undo: run }: Compensation): Promise<void> {
    const settlement = await untilSettled(step, run);
    if (settlement) await bookkeeping.recordSettlement(ref, settlement);
  }

  /** @returns what a person has done by hand instead; undefined when it got through */
  async function untilSettled(step: OrderStep, run: () => Promise<void>): Promise<SettleCompensation | undefined> {
    try {
      await unless(() => inbox.settlements.has(step), run);
      return undefined;
    } catch (error) {
      const settlement = inbox.settlements.get(step);
      if (!settlement) throw error;
      return settlement;
    }
  }

  function isCancelled(): boolean {
    return inbox.cancellation !== undefined;
  }

  function stopIfCancelled(): void {
    if (inbox.cancellation) throw refusal('order_cancelled', inbox.cancellation.reason);
  }

  /** Undoes what was done, and says why. */
  async function endBadly(type: string, message: string): Promise<void> {
    const status = type === 'order_cancelled' ? 'cancelled' : 'failed';
    await bookkeeping.beginCompensation(ref);
    tell('compensating', `Undoing what was done: ${message}`);
    await saga.compensate(undo);
    await bookkeeping.endOrder(ref, { status, type, message });
    tell(status, message);
    sendEmail(status === 'cancelled' ? 'order_cancelled' : 'order_failed');
  }

  // A cancellation from Temporal's own side takes the customer's way: nothing may be cut off in the middle.
  CancellationScope.current().cancelRequested.catch(() => {
    inbox.cancel({ reason: 'The run was cancelled in Temporal.', actor: 'temporal' });
  });
  return await CancellationScope.nonCancellable(async () => {
    try {
      await story();
      return { status: 'completed' };
    } catch (error) {
      const refused = asRefusal(error);
      // Anything else is a fault in this code: the workflow task fails, and goes on once the code is mended.
      if (!refused) throw error;
      await endBadly(refused.type ?? 'unknown', refused.message);
      throw refused;
    } finally {
      await emails.settled();
      await condition(allHandlersFinished);
    }
  });
}

/** What has been said to the order so far. */
interface Inbox {
  cancellation: CancelOrder | undefined;
  settlements: Map<OrderStep, SettleCompensation>;
  /** Called after each message that may make something needless. */
  onMessage: (() => void) | undefined;
  decision: DecideApproval | undefined;
  /** by failure id and occurrence */
  resolutions: Map<string, ResolveFailure>;
  shipped: CarrierUpdate | undefined;
  rejected: CarrierUpdate | undefined;
  delivered: boolean;
  cancel(message: CancelOrder): void;
}

const resolutionKey = (failure: { failureId: string; occurrence: number }) =>
  `${failure.failureId}/${failure.occurrence}`;

/** Handlers only take notes: the story decides what they mean. */
function receiveMessages(generation: number): Inbox {
  const inbox: Inbox = {
    cancellation: undefined,
    settlements: new Map(),
    onMessage: undefined,
    decision: undefined,
    resolutions: new Map(),
    shipped: undefined,
    rejected: undefined,
    delivered: false,
    cancel(message) {
      inbox.cancellation ??= message;
      inbox.onMessage?.();
    },
  };
  setHandler(cancelOrder, (message) => inbox.cancel(message));
  setHandler(decideApproval, (message) => {
    inbox.decision ??= message;
  });
  setHandler(resolveFailure, (message) => {
    const key = resolutionKey(message);
    if (!inbox.resolutions.has(key)) inbox.resolutions.set(key, message);
  });
  setHandler(settleCompensation, (message) => {
    inbox.settlements.set(message.step, message);
    inbox.onMessage?.();
  });
  setHandler(carrierUpdate, (message) => {
    if (message.generation !== generation) return;
    if (message.type === 'rejected') inbox.rejected = message;
    // Carriers' messages overtake each other: "delivered" implies "shipped".
    else inbox.shipped ??= message;
    if (message.type === 'delivered') inbox.delivered = true;
  });
  return inbox;
}

/** Says where the order stands, for whoever opens the run in the Web UI or lists runs by status. */
function tell(status: OrderStatus, sentence: string): void {
  upsertSearchAttributes([{ key: STATUS_SEARCH_ATTRIBUTE, value: status }]);
  setCurrentDetails(`**${status}**: ${sentence}`);
}
