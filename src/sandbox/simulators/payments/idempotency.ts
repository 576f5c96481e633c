import { createHash } from 'node:crypto';
import { StripeError } from './errors.ts';
import type { StoredResult } from './objects.ts';
import type { PaymentState } from './state.ts';

// "You can remove keys from the system automatically after they're at least 24 hours old." https://docs.stripe.com/api/idempotent_requests
const retentionMs = 24 * 60 * 60 * 1000;

/** Identifies what a request asks for. The order of its parameters does not matter. */
export function fingerprint(method: string, path: string, encodedParams: string): string {
  const params = new URLSearchParams(encodedParams);
  params.sort();
  return createHash('sha256').update(`${method} ${path}\n${params.toString()}`).digest('hex');
}

/** Idempotency keys, with Stripe's rules. */
export class IdempotencyKeys {
  readonly #inFlight = new Set<string>();
  readonly #state: PaymentState;

  constructor(state: PaymentState) {
    this.#state = state;
  }

  /**
   * Returns the answer stored under `key`, if any.
   * @throws StripeError 400 `idempotency_error` if the key was used for another request or is longer than 255 characters;
   * 409 `idempotency_key_in_use` while the first request with this key is executing
   */
  find(key: string, print: string): StoredResult | undefined {
    if (key.length > 255) {
      throw new StripeError(400, { type: 'idempotency_error', message: 'Idempotency keys can be at most 255 characters long.' });
    }
    if (this.#inFlight.has(key)) {
      throw new StripeError(409, {
        type: 'invalid_request_error',
        code: 'idempotency_key_in_use',
        message: `There is currently another in-progress request using this Idempotent Key: ${key}.`,
      });
    }
    const stored = this.#state.results.get(key);
    if (!stored || Date.now() - Date.parse(stored.at) >= retentionMs) return undefined;
    if (stored.fingerprint !== print) {
      throw new StripeError(400, {
        type: 'idempotency_error',
        message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
      });
    }
    return stored;
  }

  /** Marks `key` as in use while `work` runs. */
  async hold<T>(key: string | null, work: () => Promise<T>): Promise<T> {
    if (key === null) return work();
    this.#inFlight.add(key);
    try {
      return await work();
    } finally {
      this.#inFlight.delete(key);
    }
  }
}
