import type { SettleCompensation } from '../../contracts/messages.ts';
import type { OrderStep } from '../../contracts/statuses.ts';
import { bookkeeping } from '../activities.ts';
import type { Compensation } from '../saga.ts';
import { unless } from './interruption.ts';
import type { OrderContext } from './context.ts';

/** Undoes one step, or records that a person did. */
export async function undoStep(context: OrderContext, { step, undo }: Compensation): Promise<void> {
  for (;;) {
    const settlement = await untilSettled(context, step, undo);
    if (!settlement || (await useSettlement(context, settlement))) return;
  }
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
    await unless(inbox, () => inbox.settlementOf(step) !== undefined, run);
    return undefined;
  } catch (error) {
    const settlement = inbox.settlementOf(step);
    if (!settlement) throw error;
    return settlement;
  }
}

/**
 * Records what a person did. Each settlement is used once.
 * @returns false if it came too late: its failure is closed, and the step may be failing for another reason by now
 */
export async function useSettlement({ ref, inbox }: OrderContext, settlement: SettleCompensation): Promise<boolean> {
  inbox.settlements.delete(settlement.failureId);
  return (await bookkeeping.recordSettlement(ref, settlement)) !== 'too_late';
}
