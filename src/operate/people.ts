import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Instruction } from '../contracts/caller.ts';
import type { Database } from '../db/client.ts';
import { orders, signups } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { recordOperatorAction } from '../records/audit.ts';
import { eraseOrders, eraseSignups } from '../records/erasure.ts';

/** What erasing a person did, and what it left. */
export interface Erasure {
  /** Names this erasure in the audit, which holds no personal data. */
  id: string;
  orders: number;
  /** Of these: their invoices keep name and address of the recipient, as accounting requires. */
  invoices: number;
  signups: number;
  /** Orders and signups that are in progress or have just ended, or that somebody has to look at. They are left: erase again later. */
  remaining: number;
}

/**
 * Replaces the data of the person with this email address, whatever its case. Harmless when repeated. The payment provider,
 * the warehouse and the mail server have copies of their own.
 */
export async function erasePerson(db: Database, email: string, instruction: Instruction): Promise<Erasure> {
  return await transaction(db, async (tx) => {
    const id = randomUUID();
    await recordOperatorAction(tx, 'erase_person', id, instruction);
    const isTheirOrder = sql`lower(${orders.customerEmail}) = lower(${email})`;
    const isTheirSignup = sql`lower(${signups.email}) = lower(${email})`;
    const erased = await eraseOrders(tx, isTheirOrder);
    const erasedSignups = await eraseSignups(tx, isTheirSignup);
    const remaining = (await tx.$count(orders, isTheirOrder)) + (await tx.$count(signups, isTheirSignup));
    return { id, ...erased, signups: erasedSignups, remaining };
  });
}
