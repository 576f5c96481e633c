import { eq } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import type { Transaction } from '../db/client.ts';
import { failures } from '../db/schema.ts';
import { enqueueCommand } from '../records/commands.ts';
import { recordFailureEvent } from '../records/failures.ts';

/** Asks for an email again, on behalf of an open failure of an email that is locked. */
export async function requestEmail(
  tx: Transaction,
  { id: failureId, workflowId, occurrence }: typeof failures.$inferSelect,
  instruction: Instruction,
): Promise<void> {
  await tx.update(failures).set({ status: 'retrying' }).where(eq(failures.id, failureId));
  await recordFailureEvent(tx, failureId, 'retry_requested', instruction);
  await enqueueCommand(tx, { type: 'resend_email', workflowId, failureId, occurrence });
}
