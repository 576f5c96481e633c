import type { Pool } from 'pg';
import type { Database } from '../db/client.ts';
import { isDatabaseUnavailable, isLockTimeout } from '../db/availability.ts';

/** Statements that are under way at once. More would make the groups smaller, and Postgres wait for its own locks. */
const IN_FLIGHT = 2;
/** Requests in one statement. */
const LARGEST_GROUP = 64;

interface Waiting<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/**
 * Handles requests that come at the same time in one statement: one round trip and one write to disk for all of them. A
 * request that comes alone is handled at once; those that come while statements are under way wait for the next one.
 *
 * If a statement is refused, each of its requests is handled again by itself, so that one bad request fails alone, and one
 * that lost a race is decided by what has won it. If it is not known what came of the statement, or Postgres is away, all
 * of them fail with the error.
 * @param handle handles requests in one statement, all or none. @returns their answers, in the same order
 */
export function handleTogether<Request, Answer>(
  handle: (requests: Request[]) => Promise<Answer[]>,
): (request: Request) => Promise<Answer> {
  const queue: Waiting<Request, Answer>[] = [];
  let inFlight = 0;

  async function handleGroup(group: Waiting<Request, Answer>[]): Promise<void> {
    try {
      await answerAll(group);
    } catch (error) {
      const separately = mayEndOtherwise(error, group.length) ? (one: Waiting<Request, Answer>) => answerAll([one]) : () => Promise.reject(error);
      await Promise.all(group.map((one) => separately(one).catch(one.reject)));
    }
  }

  async function answerAll(group: Waiting<Request, Answer>[]): Promise<void> {
    const answers = await handle(group.map(({ request }) => request));
    for (const [index, answer] of answers.entries()) group[index]?.resolve(answer);
  }

  async function work(): Promise<void> {
    inFlight += 1;
    while (queue.length > 0) await handleGroup(queue.splice(0, LARGEST_GROUP));
    inFlight -= 1;
  }

  return (request) =>
    new Promise((resolve, reject) => {
      queue.push({ request, resolve, reject });
      if (inFlight < IN_FLIGHT) void work();
    });
}

/** Nothing was written in either case. A lock that one request waits for is not waited for by the others. */
const mayEndOtherwise = (error: unknown, size: number): boolean =>
  isLockTimeout(error) ? size > 1 : !isDatabaseUnavailable(error);

/** @returns a function that makes something once for each pool of connections */
export function perDatabase<Value>(make: (db: Database) => Value): (db: Database) => Value {
  const made = new WeakMap<Pool, Value>();
  return (db) => {
    const value = made.get(db.$client) ?? make(db);
    made.set(db.$client, value);
    return value;
  };
}
