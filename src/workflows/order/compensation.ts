import type { SettleCompensation } from '../../contracts/messages.ts';
import type { OrderStep } from '../../contracts/statuses.ts';
import { bookkeeping } from '../activities.ts';
import type { Compensation } from '../saga.ts';
import { unless } from './interruption.ts';
import type { OrderContext } from './context.ts';

/** Undoes one step, or records that a person did. */
export async function undoStep(context: OrderContext, { step, undo }: Compensation): Promise<void> {
  const settlement = await untilSettled(context, step, undo);
  if (settlement) await bookkeeping.recordSettlement(context.ref, settlement);
}

/**
 * Runs something that must not give up, until it succeeds or a person has settled it by hand.
 * @returns what the person did, or undefined if it succeeded
 */
export async function untilSettled(
  { inbox }: OrderContext,
  step: OrderStep,
  run: () => Promise<void>,
): Promise<SettleCompensation | undefined> {
  try {
    await unless(inbox, () => inbox.settlements.has(step), run);
    return undefined;
  } catch (error) {
    const settlement = inbox.settlements.get(step);
    if (!settlement) throw error;
    return settlement;
  }
}
