import { bookkeeping, compensation } from '../activities.ts';
import { untilSettled } from './compensation.ts';
import type { OrderContext } from './context.ts';

/**
 * Asks the warehouse to stop the parcel, before anything is undone.
 * @returns false if it has left and cannot be called back: the order continues, and a cancellation counts as refused
 */
export async function withdraw(context: OrderContext): Promise<boolean> {
  const { ref, inbox } = context;
  let withdrawn = true;
  await untilSettled(context, 'ship', async () => {
    ({ withdrawn } = await compensation.withdrawShipment(ref));
  });
  if (withdrawn) return true;
  inbox.cancellation = undefined;
  await bookkeeping.recordCancellationRefused(ref);
  return false;
}
