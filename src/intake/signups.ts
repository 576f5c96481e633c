import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Database, Transaction } from '../db/client.ts';
import { signups, verificationTokens } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { ownerFilter, type Caller } from '../contracts/caller.ts';
import { enqueueCommand } from '../records/commands.ts';
import { RequestError, notFound } from '../contracts/request-error.ts';
import type { IdempotentRequest, Once } from '../records/idempotency.ts';
import { hashToken } from '../records/tokens.ts';
import { acceptOnce } from './accept-once.ts';
import { acceptSignups, type SignupRequest } from './accept-signups.ts';
import { handleTogether, perDatabase } from './group.ts';

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

/** One group for each pool of connections. */
const grouped = perDatabase((db) => handleTogether((requests: SignupRequest[]) => acceptSignups(db, requests)));

/**
 * Accepts a signup.
 * @throws RequestError `email_taken` when the address has an open signup, or `idempotency_key_reused`
 */
export const acceptSignup = (
  db: Database,
  caller: Caller,
  { signup: { email, name }, ...request }: IdempotentRequest & { signup: NewSignup },
): Promise<Once<AcceptedSignup>> =>
  acceptOnce(db, caller, request, {
    path: '/v1/signups',
    schema: acceptedSignup,
    async accept(id) {
      const createdAt = await grouped(db)({ ...request, id, owner: caller.keyId, email, name });
      return createdAt === undefined ? undefined : { id, status: 'pending_verification', email, name, createdAt };
    },
    refuse: () => refuseTaken(db, email),
  });

/** @throws RequestError `email_taken` */
async function refuseTaken(db: Database, email: string): Promise<void> {
  const open = and(eq(sql`lower(${signups.email})`, sql`lower(${email})`), sql`status not in ('expired', 'ended')`);
  if ((await db.$count(signups, open)) > 0) {
    throw new RequestError('email_taken', 'This email address already has an open signup.', '/email');
  }
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
