import type { Database } from '../db/client.ts';
import { operatorActions } from '../db/schema.ts';
import type { Instruction } from './failure-actions.ts';

/**
 * Keeps who did what, to what, and why.
 * @param action e.g. `pause_schedule`
 * @param target e.g. the schedule's id
 */
export async function recordOperatorAction(
  db: Pick<Database, 'insert'>,
  { actor, reason }: Instruction,
  action: string,
  target: string,
): Promise<void> {
  await db.insert(operatorActions).values({ actor, reason, action, target });
}
