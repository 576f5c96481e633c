import type { Context } from 'hono';
import { isIP } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { ClientAddress } from './client-address.ts';
import type { ApiEnv } from './environment.ts';
import { Problem, type ProblemType } from './errors.ts';

/** How many requests may come within so many seconds. */
interface Quota {
  requests: number;
  seconds: number;
}

/** Seconds in which the requests of one key are counted. */
export const KEY_WINDOW = 10;

/** Wrong keys, tokens and signatures of one address. A person mistypes; a program guesses. */
const FAILURES: Quota = { requests: 20, seconds: 60 };

/** Failed sign-ins to the operator's page, of one address. */
const SIGN_INS: Quota = { requests: 10, seconds: 60 };

/** Streams of one key that are open at once. */
const MOST_STREAMS = 500;

/** The part of hono's context that leads to the answer. */
type Answering = Pick<Context<ApiEnv>, 'env'>;

/** What a process allows. Each process counts on its own. */
export interface RateLimits {
  /** Counts a request of a key. @throws Problem `too_many_requests` */
  admit(c: Answering, keyId: string): Promise<void>;
  /**
   * Counts a request that had a wrong key, token or signature. Right ones are always accepted: otherwise one client could lock out
   * all others at its address.
   * @returns the problem to answer with
   */
  afterFailure(c: Context<ApiEnv>, problem: Problem): Promise<Problem>;
  /** Counts a failed sign-in, like `afterFailure`. @returns the problem to answer with if there were too many */
  afterFailedSignIn(c: Context<ApiEnv>): Promise<Problem | undefined>;
  /** Counts a stream of a key. @returns a function to call when it has ended @throws Problem `too_many_requests` */
  openStream(keyId: string): () => void;
}

/** For load tests. */
export const NO_RATE_LIMITS: RateLimits = {
  admit: () => Promise.resolve(),
  afterFailure: (_c, problem) => Promise.resolve(problem),
  afterFailedSignIn: () => Promise.resolve(undefined),
  openStream: () => () => {},
};

/** @param perKey how many requests each key may send within {@link KEY_WINDOW} */
export function createRateLimits(perKey: number, clientAddress: ClientAddress): RateLimits {
  const keys = new Counter('key', { requests: perKey, seconds: KEY_WINDOW });
  const failures = new Counter('failures', FAILURES);
  const signIns = new Counter('sign-ins', SIGN_INS);
  const streams = new Map<string, number>();
  return {
    async admit(c, keyId) {
      const refusal = await keys.count(c, keyId);
      if (refusal) throw refusal;
    },
    async afterFailure(c, problem) {
      if (!isGuess(c, problem.type)) return problem;
      return (await failures.count(c, networkOf(clientAddress(c)))) ?? problem;
    },
    afterFailedSignIn: (c) => signIns.count(c, networkOf(clientAddress(c))),
    openStream(keyId) {
      const open = streams.get(keyId) ?? 0;
      if (open >= MOST_STREAMS) throw tooMany(`This key has ${open} streams open. Close some of them first.`, 1);
      streams.set(keyId, open + 1);
      return () => {
        const left = (streams.get(keyId) ?? 1) - 1;
        if (left > 0) streams.set(keyId, left);
        else streams.delete(keyId);
      };
    },
  };
}

/** The network that a client can take its addresses from: for IPv6, the first 64 bits. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}

/** Whether a request may have been a guess. One without any key was none. */
function isGuess(c: Context<ApiEnv>, type: ProblemType): boolean {
  if (type === 'unauthenticated') return c.req.header('Authorization') !== undefined;
  return type === 'invalid_token' || type === 'invalid_signature';
}

/** Counts requests, and tells the client how many are left: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
class Counter {
  readonly #name: string;
  readonly #quota: Quota;
  readonly #counts: RateLimiterMemory;
  readonly #policy: string;

  constructor(name: string, quota: Quota) {
    this.#name = name;
    this.#quota = quota;
    this.#counts = new RateLimiterMemory({ points: quota.requests, duration: quota.seconds });
    this.#policy = `"${name}";q=${quota.requests};w=${quota.seconds}`;
  }

  /** @returns the problem to answer with if there were too many */
  async count({ env: { outgoing } }: Answering, who: string): Promise<Problem | undefined> {
    const { consumedPoints, remainingPoints, msBeforeNext } = await this.#consume(who);
    const wait = Math.ceil(msBeforeNext / 1_000);
    // On Node's own response: hono would build a `Headers` object for them, on every request.
    outgoing.setHeader('RateLimit-Policy', this.#policy);
    outgoing.setHeader('RateLimit', `"${this.#name}";r=${remainingPoints};t=${wait}`);
    const { requests, seconds } = this.#quota;
    return consumedPoints > requests ? tooMany(`At most ${requests} within ${seconds} seconds.`, wait) : undefined;
  }

  /** The library rejects with its result when there are too many. */
  #consume(who: string): Promise<RateLimiterRes> {
    return this.#counts.consume(who).catch((result: unknown) => {
      if (result instanceof RateLimiterRes) return result;
      throw result;
    });
  }
}

const tooMany = (detail: string, seconds: number): Problem =>
  new Problem('too_many_requests', detail, { headers: { 'Retry-After': String(seconds) } });
