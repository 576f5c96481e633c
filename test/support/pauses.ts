import postgres from 'postgres';
import { expect } from 'vitest';

/** A write to pause at. */
export interface PausePoint {
  table: string;
  on: 'insert' | 'update';
  /** An SQL condition on the row, in terms of `new` and, for updates, `old`. */
  when?: string;
  /** Pauses only connections of this name (`application_name`); by default, all. */
  connection?: string;
}

/** A statement that stops just before it writes its row. */
export interface Pause {
  /** Resolves once a statement is waiting there. */
  reached(): Promise<void>;
  /** Lets it continue, and every later one. */
  resume(): Promise<void>;
}

/** The first part of the two-part lock keys used here. The code under test uses one-part keys. */
const LOCKS = 20_001;

/**
 * Pauses other connections of a database at chosen points. A test can then cause what is otherwise very rare: a race, or
 * a `kill -9` at that point. A trigger makes the statement wait for an advisory lock that the test holds. Set all points
 * before any is reached: a new trigger would wait for the paused statements.
 */
export async function createPauses(databaseUrl: string) {
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => {} });
  const holder = await sql.reserve();
  let lastId = 0;

  await sql.unsafe(`
    create or replace function wait_for_test() returns trigger language plpgsql as $$
    begin
      if tg_argv[1] <> '' and tg_argv[1] <> current_setting('application_name') then return new; end if;
      perform pg_advisory_lock_shared(${LOCKS}, tg_argv[0]::int);
      perform pg_advisory_unlock_shared(${LOCKS}, tg_argv[0]::int);
      return new;
    end $$`);

  const waiting = (id: number) => sql<{ pid: number }[]>`
    select pid from pg_locks
    where locktype = 'advisory' and classid = ${LOCKS} and objid = ${id} and objsubid = 2 and not granted
      and database = (select oid from pg_database where datname = current_database())`;

  return {
    /** Pauses the statements that reach a point. */
    async before({ table, on, when, connection = '' }: PausePoint): Promise<Pause> {
      const id = (lastId += 1);
      await holder`select pg_advisory_lock(${LOCKS}::int, ${id}::int)`;
      await sql.unsafe(`
        create trigger wait_for_test_${id} before ${on} on ${table} for each row
        ${when === undefined ? '' : `when (${when})`} execute function wait_for_test(${id}, '${connection}')`);
      return {
        reached: async () => {
          await expect
            .poll(async () => (await waiting(id)).length, { timeout: 45_000, interval: 20, message: `${on} of ${table}` })
            .toBeGreaterThan(0);
        },
        resume: async () => {
          await holder`select pg_advisory_unlock(${LOCKS}::int, ${id}::int)`;
        },
      };
    },

    /** Ends the paused connections, as the death of their process would, and removes all pauses. */
    async abandon(): Promise<void> {
      for (let id = 1; id <= lastId; id += 1) {
        for (const { pid } of await waiting(id)) await sql`select pg_terminate_backend(${pid})`;
      }
      await holder`select pg_advisory_unlock_all()`;
    },

    async close(): Promise<void> {
      holder.release();
      await sql.end({ timeout: 1 });
    },
  };
}

export type Pauses = Awaited<ReturnType<typeof createPauses>>;
