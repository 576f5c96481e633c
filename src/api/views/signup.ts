import { z } from '@hono/zod-openapi';
import { and, eq } from 'drizzle-orm';
import { SIGNUP_STATUSES } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { signups } from '../../db/schema.ts';
import { ownerFilter, type Caller } from '../../intake/caller.ts';
import { notFound } from '../../intake/errors.ts';
import type { AcceptedSignup } from '../../intake/signups.ts';
import type { Links } from '../links.ts';
import { time } from '../schemas/common.ts';

export const signupSchema = z
  .strictObject({
    id: z.uuid(),
    status: z.enum(SIGNUP_STATUSES),
    email: z.string(),
    name: z.string(),
    verifiedAt: time.nullable(),
    trialEndsAt: time.nullable(),
    subscribedAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    links: z.strictObject({
      self: z.string(),
      verification: z.string(),
      subscription: z.string(),
      workflow: z.string().openapi({ description: 'The run in the Temporal Web UI' }),
    }),
  })
  .openapi('Signup');

export type SignupView = z.infer<typeof signupSchema>;

/** @returns a signup as it was when it was taken. */
export const acceptedSignupView = (signup: AcceptedSignup, links: Links): SignupView => ({
  ...signup,
  verifiedAt: null,
  trialEndsAt: null,
  subscribedAt: null,
  updatedAt: signup.createdAt,
  links: links.signup(signup.id),
});

/**
 * Reads a signup as it stands.
 * @throws IntakeError `not_found` when there is none, or it is not for this caller to see
 */
export async function loadSignup(db: Database, links: Links, caller: Caller, id: string): Promise<SignupView> {
  const owner = ownerFilter(caller);
  const [row] = await db
    .select()
    .from(signups)
    .where(and(eq(signups.id, id), owner ? eq(signups.owner, owner) : undefined));
  if (!row) throw notFound('signup');
  return signupView(row, links);
}

/** @returns a signup as the API shows it. */
export function signupView(row: typeof signups.$inferSelect, links: Links): SignupView {
  return {
    id: row.id,
    status: row.status,
    email: row.email,
    name: row.name,
    verifiedAt: iso(row.verifiedAt),
    trialEndsAt: iso(row.trialEndsAt),
    subscribedAt: iso(row.subscribedAt),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    links: links.signup(row.id),
  };
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
