import { patched } from '@temporalio/workflow';
import { bookkeeping, compensation } from '../activities.ts';
import { untilSettled, useSettlement } from './compensation.ts';
import type { OrderContext } from './context.ts';

/**
 * Asks the warehouse to stop the parcel, before anything is undone.
 * @returns false if it has left and cannot be called back: the order continues, and a cancellation is refused. The customer is told
 */
export async function withdraw(context: OrderContext): Promise<boolean> {
  const { ref, inbox, sendEmail } = context;
  if (await isWithdrawn(context)) return true;
  inbox.cancellation = undefined;
  const recorded = await bookkeeping.recordCancellationRefused(ref);
  // Runs that were refused before this email existed must replay without it (see docs/changing-workflows.md).
  if (recorded?.refused && patched('email-on-refused-cancellation')) sendEmail('cancellation_refused');
  return false;
}

async function isWithdrawn(context: OrderContext): Promise<boolean> {
  for (;;) {
    let withdrawn = true;
    const settlement = await untilSettled(context, 'ship', async () => {
      ({ withdrawn } = await compensation.withdrawShipment(context.ref));
    });
    // Runs that got here before left the settlement to the compensation, without asking whether it came too late.
    if (!settlement || !patched('record-settled-withdrawal')) return withdrawn;
    if (await useSettlement(context, settlement)) return true;
  }
}
