import { sql, type SQL } from 'drizzle-orm';
import type { CommandState } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { commands } from '../db/schema.ts';

/** ms that a dispatcher has to deliver what it has claimed. If its process dies, another delivers it after that. */
export const LEASE = 15_000;

/** A command that this process may deliver until its lease ends. */
export interface ClaimedCommand {
  id: number;
  workflowId: string;
  /** Of a new order or signup. */
  owner: string | null;
  /** As stored; `unknown` when the body has none. */
  type: string;
  body: unknown;
  /** Including the present one. */
  attempts: number;
  /** Why it could not be delivered before. */
  lastError: string | null;
  /** When it became due. */
  dueAt: string;
  /** The end of the lease. Also names it: a later lease of the same command ends later. */
  leasedUntil: string;
}

/** What becomes of a claimed command. */
export interface Settlement {
  id: number;
  leasedUntil: string;
  state: CommandState;
  attempts: number;
  error: string | null;
  /** When a command that stays pending is due again: a time, or in so many ms. */
  dueAt?: string;
  delay?: number;
}

/** What a claim came to. */
export interface Claim {
  claimed: ClaimedCommand[];
  /** The owner whose turn was the last one. The next claim begins after it. */
  lastOwner: string;
  /** Whether commands may be due that were left for the next claim: without an owner, or of owners. */
  isMore: { ownerless: boolean; owned: boolean };
}

/** How many commands to claim at most, and after whose turn. */
export interface Share {
  ownerless: number;
  owned: number;
  after?: string | undefined;
}

/** Before every owner. A round of turns begins after it. */
export const BEFORE_FIRST_OWNER = '00000000-0000-0000-0000-000000000000';

/**
 * Claims commands that are due, longest due first. One statement, so that no transaction is open while they are delivered.
 *
 * Owners take turns, so that no burst of one delays what another asks for. If all that have due commands fit into one claim, they
 * share it equally. Otherwise, each gets one command for each round of claims: a claim begins after the last owner of the one
 * before.
 *
 * Only the first pending command of each workflow is claimed. That keeps them in order among several dispatchers, and one
 * that waits holds up no other workflow. A reset is the exception: the commands before it may be waiting for the run that
 * it brings back.
 *
 * After an outage, many commands wait, and Postgres still believes what it has seen before: that none does. It would read
 * all of them for each batch. Two things keep it from that: a limit that it does not know in advance, so that it reads in the
 * order of the index; and for the earlier commands a condition that only the index by workflow fits. The owners are found
 * by going from one to the next in the index, whatever the number of their commands.
 */
export async function claimCommands(db: Database, { ownerless, owned, after = BEFORE_FIRST_OWNER }: Share): Promise<Claim> {
  const { rows } = await db.execute<Record<string, unknown> & (ClaimedCommand | { id: null }) & Omit<Claim, 'claimed'>>(sql`
    with recursive owners as (
      ${firstOwnerAfter(sql`${after}::uuid`)}
      union all
      select next.owner, next.due from owners cross join lateral ${firstOwnerAfter(sql`owners.owner`)} as next
    ), turns as materialized (
      select owner from owners where due <= now() limit (select ${owned}::int)
    ), share as materialized (
      select case when ${after}::uuid = ${BEFORE_FIRST_OWNER}::uuid then greatest(${owned}::int / greatest(count(*), 1), 1) else 1 end as size
      from turns
    ), ownerless as materialized (
      ${dueCommands(sql`owner is null`, sql`(select ${ownerless}::int)`)}
    ), owned as materialized (
      select turns.owner, command.* from turns cross join lateral (${dueCommands(sql`owner = turns.owner`, sql`(select size from share)`)}) as command
    ), claimed as (
      update ${commands} as command
      set attempts = attempts + 1, next_attempt_at = now() + ${LEASE} * interval '1 ms'
      from (select id, next_attempt_at from ownerless union all select id, next_attempt_at from owned) as due where command.id = due.id
      returning command.id::float8, command.workflow_id as "workflowId", command.owner, command.body, command.attempts,
        coalesce(command.body ->> 'type', 'unknown') as type,
        command.last_error as "lastError", due.next_attempt_at::text as "dueAt",
        command.next_attempt_at::text as "leasedUntil"
    ), rest as (
      select
        case when count(*) = ${owned}::int then coalesce((array_agg(owner order by owner desc))[1], ${after}::uuid) else ${BEFORE_FIRST_OWNER}::uuid end as "lastOwner",
        json_build_object(
          'ownerless', (select count(*) from ownerless) = ${ownerless}::int,
          'owned', ${after}::uuid <> ${BEFORE_FIRST_OWNER}::uuid
            or exists (select from owned group by owner having count(*) = (select size from share))
        ) as "isMore"
      from turns
    )
    select * from rest left join claimed on true`);
  const [rest] = rows;
  if (!rest) throw new Error('A claim always returns a row.');
  return { claimed: rows.filter((row) => row.id !== null), lastOwner: rest.lastOwner, isMore: rest.isMore };
}

/** The first owner after another that has pending commands, and when the first of these is due. */
const firstOwnerAfter = (owner: SQL): SQL => sql`(
  select owner, next_attempt_at as due from ${commands}
  where state = 'pending' and owner > ${owner} order by owner, next_attempt_at limit 1
)`;

/** The first commands of a queue that can be delivered, locked. */
const dueCommands = (isOfQueue: SQL, limit: SQL): SQL => sql`
  select id, next_attempt_at from ${commands} as command
  where state = 'pending' and ${isOfQueue} and next_attempt_at <= now() and (body ->> 'type' = 'reset_run' or not exists (
    select from ${commands} as earlier
    where earlier.workflow_id = command.workflow_id and earlier.id < command.id
      and earlier.state not in ('delivered', 'discarded', 'set_aside')
  ))
  order by owner, next_attempt_at, id limit ${limit} for update skip locked`;

/**
 * Writes what became of claimed commands. What another process has claimed since, because the lease has ended, stays as
 * it is: that process delivers the command again, which is harmless. Only the lease is compared: whoever changes the state
 * of a command also changes when it is due.
 * @returns how many were written, and whether a later command of one of their workflows waits
 */
export async function settleCommands(
  db: Pick<Database, 'execute'>,
  settlements: Settlement[],
): Promise<{ written: number; isFollowed: boolean }> {
  const { rows } = await db.execute<{ isFollowed: boolean }>(sql`
    update ${commands} as command
    set state = settlement.state, attempts = settlement.attempts, last_error = settlement.error,
      next_attempt_at = coalesce(settlement."dueAt", now() + coalesce(settlement.delay, 0) * interval '1 ms'),
      delivered_at = case when settlement.state in ('delivered', 'discarded') then now() end
    from json_to_recordset(${JSON.stringify(settlements)}::json) as settlement(
      id bigint, "leasedUntil" timestamptz, state text, attempts int, error text, "dueAt" timestamptz, delay int
    )
    where command.id = settlement.id and command.next_attempt_at = settlement."leasedUntil"
    returning exists (
      select from ${commands} as later
      where later.workflow_id = command.workflow_id and later.id > command.id
        and later.state not in ('delivered', 'discarded', 'set_aside')
    ) as "isFollowed"`);
  return { written: rows.length, isFollowed: rows.some(({ isFollowed }) => isFollowed) };
}
