import type { Instruction } from '../contracts/caller.ts';
import type { AuditedAction } from '../contracts/audit.ts';
import type { Transaction } from '../db/client.ts';
import { operatorActions } from '../db/schema.ts';

/**
 * Records who did what, to what, and why. In the transaction of the action, so that neither exists without the other.
 * @param targets e.g. the ids of failures, orders or schedules
 */
export async function recordOperatorActions(
  tx: Transaction,
  action: AuditedAction,
  targets: readonly string[],
  { actor, reason }: Instruction,
): Promise<void> {
  if (targets.length === 0) return;
  await tx.insert(operatorActions).values(targets.map((target) => ({ actor, reason, action, target })));
}

/** Records one action, like `recordOperatorActions`. */
export const recordOperatorAction = (
  tx: Transaction,
  action: AuditedAction,
  target: string,
  instruction: Instruction,
): Promise<void> => recordOperatorActions(tx, action, [target], instruction);
