import { z } from '@hono/zod-openapi';
import type { Caller } from '../contracts/caller.ts';
import { signupWorkflowId } from '../contracts/ids.ts';
import { SIGNUP_STATUSES } from '../contracts/statuses.ts';
import type { AcceptedSignup } from '../intake/signups.ts';
import type { SignupRecord } from '../queries/signups.ts';
import { iso, time } from './common.ts';
import type { Links } from './links.ts';

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
      workflow: z.string().optional().openapi({ description: 'The run in the Temporal Web UI. For staff' }),
    }),
  })
  .openapi('Signup');

export type SignupView = z.infer<typeof signupSchema>;

/** @returns a signup as it was when it was accepted */
export const acceptedSignupView = (signup: AcceptedSignup, links: Links, caller: Caller): SignupView => ({
  ...signup,
  verifiedAt: null,
  trialEndsAt: null,
  subscribedAt: null,
  updatedAt: signup.createdAt,
  links: linksOf(signup, links, caller),
});

/** @returns a signup as API and command line show it to a caller */
export const signupView = (signup: SignupRecord, links: Links, caller: Caller): SignupView => ({
  id: signup.id,
  status: signup.status,
  email: signup.email,
  name: signup.name,
  verifiedAt: iso(signup.verifiedAt),
  trialEndsAt: iso(signup.trialEndsAt),
  subscribedAt: iso(signup.subscribedAt),
  createdAt: signup.createdAt.toISOString(),
  updatedAt: signup.updatedAt.toISOString(),
  links: linksOf(signup, links, caller),
});

const linksOf = ({ id }: { id: string }, links: Links, caller: Caller): SignupView['links'] => ({
  ...links.signup(id),
  ...links.runFor(caller, signupWorkflowId(id)),
});
