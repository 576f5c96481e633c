import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  TimeoutFailure,
  type ActivityInterfaceFor,
  type ActivityOptions,
  type UntypedActivities,
} from '@temporalio/workflow';
import type { Duration } from '@temporalio/common';
import { busy, NON_RETRYABLE_ERROR_TYPES, unavailable, type Dependency } from '../contracts/errors.ts';
import { afterFirstTry, firstTryOf, type RetryProfile } from '../contracts/retry-profiles.ts';

interface OutsideOptions extends Pick<ActivityOptions, 'taskQueue' | 'cancellationType'> {
  /** How long the service may still act on a first try that had no answer. The next try waits for that. */
  settlesWithin?: Duration;
}

/** Calls one activity of a service. */
type Call<Activities extends UntypedActivities> = (activities: ActivityInterfaceFor<Activities>) => Promise<void>;

/**
 * The calls to one outside service. The first try is a local activity with a short deadline: it costs one marker in the
 * history and wakes nobody. If it fails or does not answer, the call continues as a normal activity, so that the Web UI shows
 * its retries. The first try counts as an attempt, if it was the service that failed.
 */
export class OutsideService<Activities extends UntypedActivities> {
  readonly #dependency: Dependency;
  readonly #settlesWithin: Duration;
  readonly #firstTry: ActivityInterfaceFor<Activities>;
  readonly #allTries: ActivityInterfaceFor<Activities>;
  readonly #otherTries: ActivityInterfaceFor<Activities>;

  constructor(dependency: Dependency, profile: RetryProfile, { settlesWithin = 0, ...options }: OutsideOptions = {}) {
    const { cancellationType } = options;
    this.#dependency = dependency;
    this.#settlesWithin = settlesWithin;
    this.#firstTry = proxyLocalActivities<Activities>({ ...firstTryOf(profile), ...(cancellationType && { cancellationType }) });
    this.#allTries = proxyActivities<Activities>({ ...profile, ...options });
    this.#otherTries = proxyActivities<Activities>({ ...afterFirstTry(profile), ...options });
  }

  /** Calls the service as a normal activity from the beginning. */
  patiently = (call: Call<Activities>): Promise<void> => call(this.#allTries);

  /**
   * Makes the first try.
   * @returns undefined if it succeeded; otherwise what continues the call as a normal activity
   * @throws the error of a first try that is final
   */
  async firstTry(call: Call<Activities>): Promise<(() => Promise<void>) | undefined> {
    try {
      await call(this.#firstTry);
      return undefined;
    } catch (error) {
      const cause = error instanceof ActivityFailure ? error.cause : error;
      if (isCancellation(error) || isFinal(cause)) throw error;
      return async () => {
        const delay = this.#delayAfter(cause);
        if (delay !== 0) await sleep(delay, { summary: `next try of ${this.#dependency}` });
        await call(this.#isAttempt(cause) ? this.#otherTries : this.#allTries);
      };
    }
  }

  /** @returns how long to wait before the next try */
  #delayAfter(cause: unknown): Duration {
    if (cause instanceof TimeoutFailure) return this.#settlesWithin;
    return cause instanceof ApplicationFailure && cause.type === busy(this.#dependency) ? 0 : delayIn(cause);
  }

  /** While Postgres is away, for example, the service has not been asked. */
  #isAttempt(cause: unknown): boolean {
    return cause instanceof TimeoutFailure || (cause instanceof ApplicationFailure && cause.type === unavailable(this.#dependency));
  }
}

const isFinal = (cause: unknown): boolean =>
  cause instanceof ApplicationFailure &&
  (cause.nonRetryable === true || (typeof cause.type === 'string' && NON_RETRYABLE_ERROR_TYPES.includes(cause.type)));

/** @returns ms until the next try, as the worker has chosen them (see `activities/retry-delay.ts`) */
function delayIn(cause: unknown): number {
  const delay: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  return typeof delay === 'number' ? delay : 0;
}
