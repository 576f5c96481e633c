import { and, eq, isNull, sql } from 'drizzle-orm';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { Database, Transaction } from '../db/client.ts';
import { signups, verificationTokens } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { ownerFilter, type Caller } from '../contracts/caller.ts';
import { enqueueCommand } from '../records/commands.ts';
import { RequestError, notFound } from '../contracts/request-error.ts';
import { createOnce, type IdempotentRequest, type Once } from '../records/idempotency.ts';
import { hashToken } from '../records/tokens.ts';

export interface NewSignup {
  email: string;
  name: string;
}

const acceptedSignup = z.object({
  id: z.uuid(),
  status: z.literal('pending_verification'),
  email: z.string(),
  name: z.string(),
  createdAt: z.iso.datetime(),
});

/** A signup as it was when it was accepted. `createdAt` is ISO 8601. */
export type AcceptedSignup = z.infer<typeof acceptedSignup>;

/**
 * Accepts a signup.
 * @throws RequestError `email_taken` when the address has an open signup, or `idempotency_key_reused`
 */
export const acceptSignup = (
  db: Database,
  caller: Caller,
  { signup, ...request }: IdempotentRequest & { signup: NewSignup },
): Promise<Once<AcceptedSignup>> =>
  createOnce(db, caller, request, acceptedSignup, async (tx) => {
    const made = await insertSignup(tx, caller, signup);
    return { made, location: `/v1/signups/${made.id}` };
  });

async function insertSignup(tx: Transaction, caller: Caller, { email, name }: NewSignup): Promise<AcceptedSignup> {
  const createdAt = new Date();
  const made = { id: uuid(), status: 'pending_verification', email, name } as const;
  // The unique index decides, so that two requests at once cannot both find the address free.
  const inserted = await tx
    .insert(signups)
    .values({ ...made, owner: caller.keyId, createdAt, updatedAt: createdAt })
    .onConflictDoNothing()
    .returning({ id: signups.id });
  if (inserted.length === 0) {
    throw new RequestError('email_taken', 'This email address already has an open signup.', '/email');
  }
  await enqueueCommand(tx, { type: 'start_signup', signupId: made.id });
  return { ...made, createdAt: createdAt.toISOString() };
}

/** Reads and locks a signup, so that the second of two requests sees what the first decided. */
async function lockSignup(tx: Transaction, signupId: string, owner?: string) {
  const [signup] = await tx
    .select()
    .from(signups)
    .where(and(eq(signups.id, signupId), owner ? eq(signups.owner, owner) : undefined))
    .for('update');
  if (!signup) throw notFound('signup');
  return signup;
}

/**
 * Verifies the address of a signup with a token from one of its emails. The token is the credential, so there is no caller.
 * @throws RequestError `not_found`, `signup_expired`, or `invalid_token` when it is unknown or used
 */
export async function verifySignup(db: Database, signupId: string, token: string): Promise<void> {
  await transaction(db, async (tx) => {
    const signup = await lockSignup(tx, signupId);
    if (signup.status === 'expired') {
      throw new RequestError('signup_expired', 'The signup has expired. Sign up again to get a new link.');
    }
    const unused = and(eq(verificationTokens.signupId, signupId), isNull(verificationTokens.usedAt));
    const [found] = await tx
      .select({ hash: verificationTokens.hash })
      .from(verificationTokens)
      .where(and(unused, eq(verificationTokens.hash, hashToken(token))));
    if (!found || signup.status !== 'pending_verification') {
      throw new RequestError('invalid_token', 'The token is wrong or already used.', '/token');
    }
    await tx.update(verificationTokens).set({ usedAt: sql`now()` }).where(unused);
    await tx
      .update(signups)
      .set({ status: 'verified', verifiedAt: sql`now()`, updatedAt: sql`now()` })
      .where(eq(signups.id, signupId));
    await enqueueCommand(tx, { type: 'verify_signup', signupId: signup.id });
  });
}

/**
 * Turns a trial into a subscription.
 * @throws RequestError `not_found`, or `signup_not_on_trial`
 */
export async function subscribeSignup(db: Database, caller: Caller, signupId: string): Promise<void> {
  await transaction(db, async (tx) => {
    const signup = await lockSignup(tx, signupId, ownerFilter(caller));
    if (signup.status !== 'trial') {
      throw new RequestError('signup_not_on_trial', `The signup is ${signup.status}. Only a trial can be turned into a subscription.`);
    }
    await tx
      .update(signups)
      .set({ status: 'subscribed', subscribedAt: sql`now()`, updatedAt: sql`now()` })
      .where(eq(signups.id, signupId));
    await enqueueCommand(tx, { type: 'subscribe_signup', signupId: signup.id });
  });
}
