import { condition } from '@temporalio/workflow';
import { bookkeeping, compensation } from '../activities.ts';
import { refusal } from '../errors.ts';
import { untilSettled } from './compensation.ts';
import type { OrderContext } from './context.ts';

/** Waits until the carrier has the parcel, and reminds operations while it is late. */
export async function untilShipped(context: OrderContext): Promise<void> {
  const { ref, policy, inbox, sendEmail } = context;
  const hasNews = () => inbox.shipped !== undefined || inbox.rejected !== undefined || inbox.isCancelled;
  let reminders = 0;
  for (;;) {
    const news = await condition(hasNews, reminders === 0 ? policy.lateShipmentAfter : policy.lateShipmentEvery);
    if (inbox.shipped) {
      await bookkeeping.recordShipped(ref, inbox.shipped);
      return;
    }
    if (inbox.rejected) throw refusal('shipment_rejected', 'The warehouse rejected the shipment.');
    if (news) await withdraw(context);
    else {
      reminders += 1;
      await bookkeeping.recordLateShipment(ref);
      sendEmail('late_shipment', reminders);
    }
  }
}

/** Asks the warehouse before anything is undone: a parcel that has left cannot be called back, and its order continues. */
async function withdraw(context: OrderContext): Promise<void> {
  const { ref, inbox } = context;
  let withdrawn = true;
  await untilSettled(context, 'ship', async () => {
    ({ withdrawn } = await compensation.withdrawShipment(ref));
  });
  if (withdrawn) inbox.stopIfCancelled();
  inbox.cancellation = undefined;
  await bookkeeping.recordCancellationRefused(ref);
}
