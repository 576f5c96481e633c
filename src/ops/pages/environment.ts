import type { Client } from '@temporalio/client';
import type { Database } from '../../db/client.ts';
import type { Caller } from '../../intake/caller.ts';

/** What the operator's page works with. */
export interface PageDependencies {
  db: Database;
  /** May be away: the pages then say so, and show what Postgres knows. */
  temporal: Client;
  /** @returns whose key it is, or undefined when it is unknown or revoked */
  identify: (key: string) => Promise<Caller | undefined>;
  /** Asks each part that the API depends on how it is: `ok`, or what is wrong. */
  health: { part: string; check: () => Promise<string> }[];
  /** @returns where the Temporal Web UI shows a workflow */
  runUrl: (workflowId: string) => string;
  /** Where operators reach the API: decides whether cookies are for HTTPS only, and which origin forms come from. */
  publicUrl: string;
  /** IANA name of the zone in which schedules are declared. */
  timeZone: string;
  /** Writes an error into the log. @returns what may be said of it */
  report: (error: unknown, requestId: string) => { status: 500 | 503; title: string; detail: string };
  /** Aborted when the process stops: streams end then. */
  stopping: AbortSignal;
}

/** Someone who is signed in. */
export interface Session {
  token: string;
  caller: Caller;
  /** What each form carries to prove that it is ours. */
  csrf: string;
}

/** What travels with each request for a page. */
export interface PageEnv {
  Variables: { requestId: string; session: Session; caller: Caller };
}
