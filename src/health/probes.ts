import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { connectionTrouble } from '../contracts/connection-errors.ts';
import type { Service } from '../contracts/health.ts';
import { parseJson } from '../contracts/json.ts';

/** Harmless questions that show whether a service answers and accepts our credentials. They charge, ship and send nothing. */

/** ms that a probe may take */
const DEADLINE = 5_000;

/** Why a probe failed. `refused`: our credentials are wrong. `unexpected`: it answers, but not as it should. */
export type ProbeFailure = 'no_answer' | 'refused' | 'unexpected';

/** Thrown by a probe. The message is for people, and holds no secret. */
export class ProbeFailedError extends Error {
  override name = 'ProbeFailedError';
  readonly failure: ProbeFailure;

  constructor(failure: ProbeFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** What a service that answers has told. */
export interface ProbeAnswer {
  /** How far, in ms, its clock is ahead of ours, if it says the time. */
  ahead: number | undefined;
}

/** @param signal ends it early. @throws ProbeFailedError */
export type Probe = (signal?: AbortSignal) => Promise<ProbeAnswer>;

/** Where the services are, as in the environment of a worker. */
export interface ServiceAddresses {
  SMTP_URL: string;
  STRIPE_API_BASE: string;
  STRIPE_SECRET_KEY: string;
  WAREHOUSE_URL: string;
  WAREHOUSE_API_KEY: string;
}

/** @returns a probe for each service */
export const createProbes = (addresses: ServiceAddresses): Record<Service, Probe> => ({
  email: probeMailServer(addresses),
  payment: probePaymentProvider(addresses),
  warehouse: probeWarehouse(addresses),
});

/** Connects, says EHLO, and signs in where the URL has a user. */
export const probeMailServer =
  ({ SMTP_URL: url }: Pick<ServiceAddresses, 'SMTP_URL'>): Probe =>
  async (signal) => {
    const transport = createTransport({ url, connectionTimeout: DEADLINE, greetingTimeout: DEADLINE, socketTimeout: DEADLINE, dnsTimeout: DEADLINE });
    try {
      await within(DEADLINE, signal, transport.verify());
      return { ahead: undefined };
    } catch (error) {
      // The server's text is left out: it may repeat the user.
      if (connectionTrouble(error) === 'login refused') throw new ProbeFailedError('refused', 'our sign-in is refused (EAUTH)');
      throw new ProbeFailedError('no_answer', noAnswer(error));
    } finally {
      transport.close();
    }
  };

/** Asks for a payment that does not exist. Only a valid key is told that it is missing. */
export const probePaymentProvider =
  ({ STRIPE_API_BASE: base, STRIPE_SECRET_KEY: key }: Pick<ServiceAddresses, 'STRIPE_API_BASE' | 'STRIPE_SECRET_KEY'>): Probe =>
  async (signal) => {
    const { status, code, ahead } = await ask(base, '/v1/payment_intents/pi_holdfast_probe', key, signal);
    if (status === 404 && code === 'resource_missing') return { ahead };
    throw unexpected(status);
  };

/** Asks for a shipment that does not exist. */
export const probeWarehouse =
  ({ WAREHOUSE_URL: base, WAREHOUSE_API_KEY: key }: Pick<ServiceAddresses, 'WAREHOUSE_URL' | 'WAREHOUSE_API_KEY'>): Probe =>
  async (signal) => {
    const { status, code, ahead } = await ask(base, '/v1/shipments/holdfast-probe', key, signal);
    if (status === 404 && code !== undefined) return { ahead };
    throw unexpected(status);
  };

const unexpected = (status: number): ProbeFailedError =>
  status === 401 || status === 403
    ? new ProbeFailedError('refused', `HTTP ${status}: our key is refused`)
    : new ProbeFailedError('unexpected', `HTTP ${status}`);

const errorSchema = z.object({ error: z.object({ code: z.string().min(1) }) });

async function ask(base: string, path: string, key: string, signal: AbortSignal | undefined) {
  const sent = Date.now();
  const deadline = AbortSignal.timeout(DEADLINE);
  try {
    const response = await fetch(new URL(path, base), {
      headers: { authorization: `Bearer ${key}` },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      redirect: 'error',
    });
    const there = Date.parse(response.headers.get('date') ?? '');
    const body = parseJson(await response.text());
    return {
      status: response.status,
      code: errorSchema.safeParse(body).data?.error.code,
      // The header has whole seconds, rounded down.
      ahead: Number.isNaN(there) ? undefined : there + 500 - (sent + Date.now()) / 2,
    };
  } catch (error) {
    throw new ProbeFailedError('no_answer', noAnswer(error));
  }
}

/** Some promises cannot be cancelled. @throws what `promise` or the signal does, or a TimeoutError */
async function within<Result>(ms: number, signal: AbortSignal | undefined, promise: Promise<Result>): Promise<Result> {
  const timeout = AbortSignal.timeout(ms);
  const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
  return await new Promise<Result>((resolve, reject) => {
    const abort = () => reject(ended.reason instanceof Error ? ended.reason : new Error('aborted'));
    if (ended.aborted) abort();
    ended.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject);
  });
}

const noAnswer = (error: unknown): string =>
  error instanceof Error && error.name === 'TimeoutError' ? `no answer within ${DEADLINE / 1_000} s` : (connectionTrouble(error) ?? 'no answer');
