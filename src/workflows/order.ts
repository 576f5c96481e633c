import {
  allHandlersFinished,
  CancellationScope,
  condition,
  patched,
  type ActivityInterfaceFor,
  type UntypedActivities,
} from '@temporalio/workflow';
import type { OrderInput, OrderResult } from '../contracts/messages.ts';
import type { OrderStep } from '../contracts/statuses.ts';
import type { OrderTemplate } from '../contracts/templates.ts';
import { bookkeeping, compensation, database, localCompensation, payment, warehouse } from './activities.ts';
import { Emails } from './emails.ts';
import { asRefusal } from './errors.ts';
import { untilApproved } from './order/approval.ts';
import { undoStep } from './order/compensation.ts';
import type { OrderContext } from './order/context.ts';
import { receiveMessages } from './order/inbox.ts';
import { unlessCancelled } from './order/interruption.ts';
import { attempt } from './order/parking.ts';
import { untilShipped } from './order/shipment.ts';
import type { OutsideService } from './outside.ts';
import { Saga } from './saga.ts';
import { StatusDisplay } from './status.ts';
import { waitingUntil } from './summaries.ts';

/** The steps that are undone if the order ends badly, in the order in which they are done. */
const COMPENSATED_STEPS = ['reserve', 'charge', 'ship', 'invoice'] as const satisfies OrderStep[];
type CompensatedStep = (typeof COMPENSATED_STEPS)[number];

/**
 * One order, from accepted to delivered.
 *
 * A business refusal (see `contracts/errors.ts`) undoes what was done and ends the run as Failed, with the refusal as its
 * type. A step that uses up its retries parks the order instead: it waits for a person.
 */
export async function order(input: OrderInput): Promise<OrderResult> {
  const { orderId, generation, policy } = input;
  const ref = { orderId, generation };
  const inbox = receiveMessages(generation);
  // Runs from before first tries must replay without them (see docs/changing-workflows.md). Other patches of the happy path are
  // older, so a run with first tries has them, too.
  const isPrompt = patched('first-tries-as-local-activities');
  const emails = new Emails<OrderTemplate>({
    isPrompt,
    send: ({ sendOrderEmail }, template, occurrence) => sendOrderEmail(ref, template, occurrence),
    onExhausted: (sent, error) => bookkeeping.recordFailedEmail({ ...ref, ...sent, ...error }),
  });
  const status = new StatusDisplay({ publishesAll: !isPrompt });
  const context: OrderContext = {
    ref,
    policy,
    inbox,
    sendEmail: (template, occurrence) => emails.send(template, occurrence),
    showStatus: (shown, sentence) => status.show(shown, sentence),
    async beforeWait() {
      status.publish();
      if (isPrompt) await emails.sendPromptly();
    },
  };
  const { sendEmail, showStatus, beforeWait } = context;
  const saga = new Saga();

  const undo: Record<CompensatedStep, () => Promise<void>> = {
    reserve: () => localCompensation.releaseStock(ref),
    charge: () => compensation.refundPayment(ref),
    ship: () => compensation.cancelShipment(ref),
    invoice: () => localCompensation.voidInvoice(ref),
  };

  /** Registers how to undo a step, then runs it. */
  const step = <Result>(name: CompensatedStep, run: () => Promise<Result>): Promise<Result> => {
    saga.compensateWith(name, undo[name]);
    return attempt(context, name, run);
  };

  /**
   * Registers steps that this run has not come to, and that were attempted nevertheless: their worker died, and the order was
   * cancelled before the workflow task was repeated.
   */
  function alsoCompensate(attempted: readonly OrderStep[]): void {
    for (const name of COMPENSATED_STEPS) if (attempted.includes(name)) saga.compensateWith(name, undo[name]);
  }

  /** Calls an outside service. While it is retried, nothing else is held up. */
  async function outside<Activities extends UntypedActivities>(
    service: OutsideService<Activities>,
    call: (activities: ActivityInterfaceFor<Activities>) => Promise<void>,
  ): Promise<void> {
    if (!isPrompt) return await service.patiently(call);
    const retries = await service.firstTry(call);
    if (!retries) return;
    status.publish();
    emails.sendPatiently();
    await retries();
  }

  async function story(): Promise<void> {
    showStatus('accepted', 'Reserving stock.');
    const reserved = await step('reserve', () => database.reserveStock(ref));

    if (reserved?.review) await untilApproved(context, 'Many cards of the customer were declined.');
    else if (input.amount > policy.approvalThreshold) await untilApproved(context, 'The amount is above the threshold.');
    inbox.stopIfCancelled();

    showStatus('reserved', 'Charging the payment.');
    await step('charge', () =>
      unlessCancelled(inbox, () => outside(payment, ({ chargePayment }) => chargePayment(ref))),
    );
    inbox.stopIfCancelled();

    showStatus('charged', 'Handing the order to the warehouse.');
    sendEmail('order_confirmed');
    await step('ship', () => outside(warehouse, ({ requestShipment }) => requestShipment(ref)));

    await step('invoice', () => database.issueInvoice(ref));

    showStatus('fulfilling', 'The warehouse has the order. Waiting for the carrier.');
    await untilShipped(context);
    showStatus('shipped', 'On its way to the customer.');
    sendEmail('order_shipped');

    await beforeWait();
    // Carriers lose "delivered" messages. A parcel that nobody reports missing counts as delivered after the deadline.
    await condition(
      () => inbox.delivered,
      policy.deliveryDeadline,
      waitingUntil(policy.deliveryDeadline, (day) => `shipped, taken as delivered on ${day}`),
    );
    await bookkeeping.completeOrder(ref, { delivered: inbox.delivered });
    // Runs that completed before this email existed must replay without it (see docs/changing-workflows.md).
    if (inbox.delivered && (isPrompt || patched('email-on-delivery'))) sendEmail('order_delivered');
    showStatus('completed', inbox.delivered ? 'Delivered.' : 'No message from the carrier in time: taken as delivered.');
  }

  /** Undoes what was done, last step first, and tells the customer why. */
  async function endBadly(type: string, message: string): Promise<void> {
    const end = type === 'order_cancelled' ? 'cancelled' : 'failed';
    alsoCompensate((await bookkeeping.beginCompensation(ref)) ?? []);
    showStatus('compensating', `Undoing what was done: ${message}`);
    status.publish();
    emails.sendPatiently();
    await saga.compensate((registered) => undoStep(context, registered));
    await bookkeeping.endOrder(ref, { status: end, type, message });
    showStatus(end, message);
    sendEmail(end === 'cancelled' ? 'order_cancelled' : 'order_failed');
  }

  // A cancellation by Temporal is handled like one by the customer. Nothing may be cut off in the middle.
  CancellationScope.current().cancelRequested.catch(() => {
    inbox.cancel({ actor: 'temporal' });
  });
  return await CancellationScope.nonCancellable(async () => {
    try {
      await story();
      return { status: 'completed' };
    } catch (error) {
      const refused = asRefusal(error);
      // Any other error is a bug in this code. The workflow task fails, and the run continues once the code is fixed.
      if (!refused) throw error;
      await endBadly(refused.type ?? 'unknown', refused.message);
      throw refused;
    } finally {
      await emails.settled();
      await condition(allHandlersFinished);
    }
  });
}
