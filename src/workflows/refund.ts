import type { RefundInput } from '../contracts/messages.ts';
import { compensation } from './activities.ts';

/** A refund that failed and that an operator has asked for again. Ends once that refund has succeeded or failed. */
export async function refund(input: RefundInput): Promise<void> {
  await compensation.refundAgain(input);
}
