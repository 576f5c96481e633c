import { SERVICE_NAMES, SERVICES, type Service } from '../../contracts/health.ts';
import {
  ProbeFailedError,
  probeMailServer,
  probePaymentProvider,
  probeWarehouse,
  type Probe,
  type ProbeFailure,
} from '../../health/probes.ts';
import { check, CheckFailed, NotChecked, variable, type Finding } from './check.ts';

/** ms for one request */
const TIMEOUT = 5_000;

/** What the outside services answered. */
export interface Outside {
  findings: Finding[];
  /** by service: how far, in ms, its clock is ahead of ours */
  clocks: Map<string, number>;
}

/** @returns whether mail server, payment provider and warehouse answer and accept our credentials. Changes nothing. */
export async function examineOutside(environment: NodeJS.ProcessEnv): Promise<Outside> {
  const clocks = new Map<string, number>();
  const findings = await Promise.all(
    SERVICES.map((service) => check(SERVICE_NAMES[service], () => examineService(service, environment, clocks), FIXES[service].no_answer)),
  );
  return { findings, clocks };
}

async function examineService(service: Service, environment: NodeJS.ProcessEnv, clocks: Map<string, number>): Promise<string> {
  const probe = PROBES[service](environment);
  try {
    const { ahead } = await probe();
    if (ahead !== undefined) clocks.set(SERVICE_NAMES[service].toLowerCase(), ahead);
    return 'answers, and accepts our credentials';
  } catch (error) {
    throw error instanceof ProbeFailedError ? new CheckFailed(error.message, FIXES[service][error.failure]) : error;
  }
}

/** They throw NotChecked where a variable is missing. */
const PROBES: Record<Service, (environment: NodeJS.ProcessEnv) => Probe> = {
  email: (environment) => probeMailServer({ SMTP_URL: variable(environment, 'SMTP_URL') }),
  payment: (environment) =>
    probePaymentProvider({
      STRIPE_SECRET_KEY: variable(environment, 'STRIPE_SECRET_KEY'),
      STRIPE_API_BASE: environment['STRIPE_API_BASE'] || 'https://api.stripe.com',
    }),
  warehouse: (environment) =>
    probeWarehouse({
      WAREHOUSE_URL: variable(environment, 'WAREHOUSE_URL'),
      WAREHOUSE_API_KEY: variable(environment, 'WAREHOUSE_API_KEY'),
    }),
};

const FIXES: Record<Service, Record<ProbeFailure, string>> = {
  email: {
    no_answer: 'Check SMTP_URL, and whether the mail server is running.',
    refused: 'Correct the user and password in SMTP_URL.',
    unexpected: 'Check SMTP_URL, and whether the mail server is running.',
  },
  payment: {
    no_answer: 'Check STRIPE_API_BASE and the provider’s status page.',
    refused: 'Correct STRIPE_SECRET_KEY.',
    unexpected: 'Check STRIPE_API_BASE and the provider’s status page.',
  },
  warehouse: {
    no_answer: 'Check WAREHOUSE_URL. If it is right, call the warehouse.',
    refused: 'Correct WAREHOUSE_API_KEY.',
    unexpected: 'Check WAREHOUSE_URL. If it is right, call the warehouse.',
  },
};

/** @returns how far, in ms, the clock of the host of Temporal's Web UI is ahead of ours. @throws NotChecked when it sends no time */
export async function temporalClock(environment: NodeJS.ProcessEnv): Promise<number> {
  const sent = Date.now();
  const response = await fetch(variable(environment, 'TEMPORAL_UI_URL'), { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT) });
  const there = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(there)) throw new NotChecked('it sends no time');
  return there + 500 - (sent + Date.now()) / 2;
}
