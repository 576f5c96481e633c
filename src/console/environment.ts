import type { Context } from 'hono';
import type { Client } from '@temporalio/client';
import type { Database } from '../db/client.ts';
import type { Caller } from '../contracts/caller.ts';
import type { Logger } from '../log.ts';

/** How a part of the system answers when asked. */
export type PartHealth = 'ok' | 'failing' | 'not answering';

/** What a page may show of an error, and the headers to send with it. */
interface ErrorReport {
  status: 429 | 500 | 503;
  title: string;
  detail: string;
  headers: Record<string, string>;
}

/** What the operator's page works with. */
export interface PageDependencies {
  db: Database;
  /** May be unavailable: the pages then say so and show what Postgres knows. */
  temporal: Client;
  /** @returns whose key it is, or undefined when it is unknown or revoked, or has expired */
  identify: (key: string) => Promise<Caller | undefined>;
  /** The parts that the API depends on. */
  health: { part: string; check: () => Promise<PartHealth> }[];
  /** @returns where the Temporal Web UI shows a workflow */
  runUrl: (workflowId: string) => string;
  /** Counts a failed sign-in. @returns the headers of a refusal if there were too many from this address */
  countFailedSignIn: (c: Context) => Promise<Record<string, string> | undefined>;
  /** Counts a stream of a key. @returns a function to call when it has ended. Throws if there are too many: `report` knows the error */
  openStream: (keyId: string) => () => void;
  /** @returns the address of the client that sent a request */
  clientAddress: (c: Context) => string;
  /** Where operators reach the API. Decides whether cookies require HTTPS, and which origin forms must come from. */
  publicUrl: string;
  /** IANA name of the zone in which schedules are declared. */
  timeZone: string;
  log: Logger;
  /** Logs an error. @returns what the page may show of it */
  report: (error: unknown, requestId: string) => ErrorReport;
  /** Aborted when the process stops: streams end then. */
  stopping: AbortSignal;
}

/** Somebody of the staff who is signed in. */
export interface Session {
  token: string;
  caller: Caller;
  /** What their key is called. */
  name: string;
  /** Every form carries it, to prove that it comes from this session. */
  csrf: string;
}

/** What each request carries. */
export interface PageEnv {
  Variables: {
    requestId: string;
    /** The attributes of every cookie. */
    cookie: { path: string; httpOnly: true; sameSite: 'Strict'; secure: boolean };
    session: Session;
    caller: Caller;
  };
}

export type PageContext = Context<PageEnv>;
