import { sql } from 'drizzle-orm';
import type { CommandState } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { commands } from '../db/schema.ts';

/** ms that a dispatcher has to deliver what it has claimed. If its process dies, another delivers it after that. */
export const LEASE = 15_000;

/** A command that this process may deliver until its lease ends. */
export interface ClaimedCommand {
  id: number;
  workflowId: string;
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

/**
 * Claims commands that are due, longest due first. One statement, so that no transaction is open while they are delivered.
 *
 * Only the first pending command of each workflow is claimed. That keeps them in order among several dispatchers, and one
 * that waits holds up no other workflow. A reset is the exception: the commands before it may be waiting for the run that
 * it brings back.
 *
 * After an outage, many commands wait, and Postgres still believes what it has seen before: that none does. It would read
 * all of them for each batch. Two things keep it from that: a limit that it does not know in advance, so that it reads in the
 * order of the index; and for the earlier commands a condition that only the index by workflow fits.
 */
export async function claimCommands(db: Database, limit: number): Promise<ClaimedCommand[]> {
  const { rows } = await db.execute<Record<string, unknown> & ClaimedCommand>(sql`
    with due as materialized (
      select id, next_attempt_at from ${commands} as command
      where state = 'pending' and next_attempt_at <= now() and (body ->> 'type' = 'reset_run' or not exists (
        select from ${commands} as earlier
        where earlier.workflow_id = command.workflow_id and earlier.id < command.id
          and earlier.state not in ('delivered', 'discarded', 'set_aside')
      ))
      order by next_attempt_at, id limit (select ${limit}::int) for update skip locked
    )
    update ${commands} as command
    set attempts = attempts + 1, next_attempt_at = now() + ${LEASE} * interval '1 ms'
    from due where command.id = due.id
    returning command.id::float8, command.workflow_id as "workflowId", command.body, command.attempts,
      coalesce(command.body ->> 'type', 'unknown') as type,
      command.last_error as "lastError", due.next_attempt_at::text as "dueAt",
      command.next_attempt_at::text as "leasedUntil"`);
  return rows;
}

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
