import { and, desc, eq, lt, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { ownerFilter, type Caller } from '../contracts/caller.ts';
import { email as emailField, id as idField } from '../contracts/fields.ts';
import { notFound } from '../contracts/request-error.ts';
import { SIGNUP_STATUSES, type SignupStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { signups, verificationTokens } from '../db/schema.ts';
import { hashToken } from '../records/tokens.ts';
import { countRows } from './counting.ts';

export type SignupRecord = typeof signups.$inferSelect;

/** Selects signups. `email` is the exact address, in any case. */
export const signupSearchSchema = z.strictObject({
  id: idField.optional(),
  email: emailField.optional(),
  status: z.enum(SIGNUP_STATUSES).optional(),
});
export type SignupSearch = z.infer<typeof signupSearchSchema>;

/**
 * @param page `cursor` is the id of the last signup of the previous page
 * @returns matching signups, newest first; one more than `limit` when there is a next page
 */
export async function searchSignups(
  db: Database,
  search: SignupSearch,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<SignupRecord[]> {
  return await db
    .select()
    .from(signups)
    .where(and(signupCondition(search), cursor === undefined ? undefined : lt(signups.id, cursor)))
    .orderBy(desc(signups.id))
    .limit(limit + 1);
}

/** @returns how many signups match; more than `most` if there are more */
export const countSignups = async (db: Database, search: SignupSearch, most: number): Promise<number> =>
  await countRows(db, db.select({ id: signups.id }).from(signups).where(signupCondition(search)).limit(most + 1));

const signupCondition = ({ id, email, status }: SignupSearch): SQL | undefined =>
  and(
    id === undefined ? undefined : eq(signups.id, id),
    email === undefined ? undefined : eq(sql`lower(${signups.email})`, email.toLowerCase()),
    status && eq(signups.status, status),
  );

/** @returns the status of a signup for whoever has the token from one of its emails, used or not; undefined for any other token */
export async function readVerification(db: Database, signupId: string, token: string): Promise<SignupStatus | undefined> {
  const [found] = await db
    .select({ status: signups.status })
    .from(verificationTokens)
    .innerJoin(signups, eq(signups.id, verificationTokens.signupId))
    .where(and(eq(verificationTokens.hash, hashToken(token)), eq(signups.id, signupId)));
  return found?.status;
}

/** @throws RequestError `not_found` when it does not exist, or the caller may not see it */
export async function readSignup(db: Database, caller: Caller, id: string): Promise<SignupRecord> {
  const owner = ownerFilter(caller);
  const [signup] = await db
    .select()
    .from(signups)
    .where(and(eq(signups.id, id), owner ? eq(signups.owner, owner) : undefined));
  if (!signup) throw notFound('signup');
  return signup;
}
