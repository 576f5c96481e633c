import { condition } from '@temporalio/workflow';
import { bookkeeping } from '../activities.ts';
import { refusal } from '../errors.ts';
import { waitingUntil } from '../summaries.ts';
import type { OrderContext } from './context.ts';
import { withdraw } from './withdrawal.ts';

/** Waits until the carrier has the parcel, and reminds operations while it is late. */
export async function untilShipped(context: OrderContext): Promise<void> {
  const { ref, policy, inbox, sendEmail, beforeWait } = context;
  const hasNews = () => inbox.shipped !== undefined || inbox.rejected !== undefined || inbox.isCancelled;
  let reminders = 0;
  let reminderAt = Date.now() + policy.lateShipmentAfter;
  for (;;) {
    await beforeWait();
    // A refused cancellation does not put off the reminder.
    const patience = Math.max(1, reminderAt - Date.now());
    const news = await condition(hasNews, patience, waitingUntil(patience, (day) => `waiting for the carrier, operations reminded on ${day}`));
    if (inbox.shipped) {
      await bookkeeping.recordShipped(ref, inbox.shipped);
      return;
    }
    if (inbox.rejected) throw refusal('shipment_rejected', 'The warehouse rejected the shipment.');
    if (!news) {
      reminders += 1;
      reminderAt = Date.now() + policy.lateShipmentEvery;
      await bookkeeping.recordLateShipment(ref);
      sendEmail('late_shipment', reminders);
    } else if (await withdraw(context)) inbox.stopIfCancelled();
  }
}
