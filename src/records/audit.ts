import type { Instruction } from '../contracts/caller.ts';
import type { AuditedAction } from '../contracts/audit.ts';
import type { Transaction } from '../db/client.ts';
import { operatorActions } from '../db/schema.ts';

/**
 * Writes down who did what, to what, and why. In the transaction of the action, so that neither exists without the other.
 * @param target e.g. the id of a failure, an order or a schedule
 */
export async function recordOperatorAction(
  tx: Transaction,
  action: AuditedAction,
  target: string,
  { actor, reason }: Instruction,
): Promise<void> {
  await tx.insert(operatorActions).values({ actor, reason, action, target });
}
