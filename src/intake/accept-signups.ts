import type { Database } from '../db/client.ts';
import { notify } from '../db/notifications.ts';
import { COMMANDS_CHANNEL } from '../records/commands.ts';
import type { IdempotentRequest } from '../records/idempotency.ts';

/** A signup to accept. */
export interface SignupRequest extends IdempotentRequest {
  id: string;
  owner: string;
  email: string;
  name: string;
}

/**
 * Writes everything that accepting a signup means: the signup, the key, and the command that starts it. Leaves out a signup
 * whose key was used, and one whose address is taken: the unique index decides, so that two requests at once cannot both
 * find it free.
 *
 * The addresses and then the keys are written in one order by all, so that two statements cannot wait for each other.
 */
const STATEMENT = `
with request as (
  select * from json_to_recordset($1) as request (
    id uuid, owner uuid, "idempotencyKey" text, "requestHash" text, "requestId" text, traceparent text, email text, name text
  )
), fresh as (
  select distinct on (owner, "idempotencyKey") * from request
  where not exists (select from idempotency_keys as used where used.owner = request.owner and used.key = "idempotencyKey")
  order by owner, "idempotencyKey"
), made as (
  insert into signups (id, owner, email, name, status, created_at, updated_at)
  select id, owner, email, name, 'pending_verification', $2::text::timestamptz, $2::text::timestamptz
  from fresh order by lower(email)
  on conflict do nothing returning id
), claimed as (
  insert into idempotency_keys (owner, key, request_hash, location, body)
  select owner, "idempotencyKey", "requestHash", '/v1/signups/' || id, jsonb_build_object(
    'id', id, 'status', 'pending_verification', 'email', email, 'name', name, 'createdAt', $2::text
  )
  from fresh join made using (id) order by owner, "idempotencyKey"
), started as (
  insert into commands (workflow_id, owner, body)
  select 'signup/' || id, owner,
    jsonb_strip_nulls(jsonb_build_object(
      'type', 'start_signup', 'signupId', id, 'requestId', "requestId", 'traceparent', traceparent
    ))
  from made join request using (id)
)
select id from made`;

/** @returns for each when it was accepted, as ISO 8601, and undefined if it was not */
export async function acceptSignups(db: Database, requests: SignupRequest[]): Promise<(string | undefined)[]> {
  const createdAt = new Date().toISOString();
  const { rows } = await db.$client.query<{ id: string }>({
    name: 'accept_signups',
    text: STATEMENT,
    values: [JSON.stringify(requests), createdAt],
  });
  if (rows.length > 0) notify(db.$client, COMMANDS_CHANNEL);
  const made = new Set(rows.map(({ id }) => id));
  return requests.map(({ id }) => (made.has(id) ? createdAt : undefined));
}
