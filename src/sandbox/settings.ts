import { join, resolve } from 'node:path';
import { parse as parseDuration } from '@lukeed/ms';
import { z } from 'zod';
import { hostNames, isLoopback } from '../hosts.ts';
import { portProblem } from './ports.ts';
import { projectRoot, SetupError } from './project.ts';

const port = (preset: number) => z.coerce.number().int().min(1).max(65_535).default(preset);
/** A duration such as `5s`, converted to milliseconds. */
const duration = (preset: string) =>
  z
    .string()
    .default(preset)
    .transform((text, context) => {
      const parsed = parseDuration(text.trim());
      if (typeof parsed === 'number') return parsed;
      context.addIssue('is not a duration such as 5s or 2m');
      return z.NEVER;
    });
/** An empty variable counts as not set. */
const optional = z
  .string()
  .optional()
  .transform((text) => text || undefined);

const environment = z.object({
  HOLDFAST_HOME: optional,
  ALLOWED_HOSTS: hostNames,
  NODE_ENV: optional,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(3000),
  TEMPORAL_PORT: port(7233),
  TEMPORAL_UI_PORT: port(8233),
  POSTGRES_PORT: port(5433),
  SMTP_PORT: port(1025),
  INBOX_PORT: port(1080),
  PAYMENTS_PORT: port(4010),
  WAREHOUSE_PORT: port(4020),
  API_METRICS_PORT: port(9464),
  WORKER_METRICS_PORT: port(9465),
  TEMPORAL_METRICS_PORT: port(9466),
  WAREHOUSE_SHIP_AFTER: duration('2s'),
  WAREHOUSE_DELIVER_AFTER: duration('4s'),
  DATABASE_URL: optional,
  TEMPORAL_ADDRESS: optional,
  TEMPORAL_NAMESPACE: z.string().default('default'),
  SMTP_URL: optional,
  STRIPE_API_BASE: optional,
  WAREHOUSE_URL: optional,
});

/** How to run the embedded stack. */
export interface Settings {
  /** Absolute path of the data folder. */
  home: string;
  /** Host names that the API, the simulators and the inbox answer as, besides `localhost`. */
  allowedHosts: string[];
  namespace: string;
  /** Whether there is a shop window. Whoever reaches it orders with the shop's key: only this machine may, and nobody in production. */
  hasShopWindow: boolean;
  /** The port of each part that the stack runs itself. */
  ports: {
    api: number;
    temporal: number;
    temporalUi: number;
    postgres: number;
    smtp: number;
    inbox: number;
    payments: number;
    warehouse: number;
    apiMetrics: number;
    workerMetrics: number;
    /** Of Temporal's SDK in the worker. */
    temporalMetrics: number;
  };
  /** How long the warehouse simulator takes to ship, and then to deliver, in milliseconds. */
  warehousePace: { shipAfterMs: number; deliverAfterMs: number };
  /** Real services to use. The stack does not run its own part for a service that is given. */
  real: {
    databaseUrl: string | undefined;
    temporalAddress: string | undefined;
    smtpUrl: string | undefined;
    stripeApiBase: string | undefined;
    warehouseUrl: string | undefined;
  };
}

/**
 * Reads the settings from the environment.
 * @throws SetupError that names every invalid variable
 */
export function readSettings(variables: NodeJS.ProcessEnv): Settings {
  const { success, data, error } = environment.safeParse(variables);
  if (!success) {
    throw new SetupError(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  }
  return {
    home: data.HOLDFAST_HOME === undefined ? join(projectRoot, '.holdfast') : resolve(data.HOLDFAST_HOME),
    allowedHosts: data.ALLOWED_HOSTS,
    namespace: data.TEMPORAL_NAMESPACE,
    hasShopWindow: data.NODE_ENV !== 'production' && isLoopback(data.API_HOST),
    ports: {
      api: data.API_PORT,
      temporal: data.TEMPORAL_PORT,
      temporalUi: data.TEMPORAL_UI_PORT,
      postgres: data.POSTGRES_PORT,
      smtp: data.SMTP_PORT,
      inbox: data.INBOX_PORT,
      payments: data.PAYMENTS_PORT,
      warehouse: data.WAREHOUSE_PORT,
      apiMetrics: data.API_METRICS_PORT,
      workerMetrics: data.WORKER_METRICS_PORT,
      temporalMetrics: data.TEMPORAL_METRICS_PORT,
    },
    warehousePace: { shipAfterMs: data.WAREHOUSE_SHIP_AFTER, deliverAfterMs: data.WAREHOUSE_DELIVER_AFTER },
    real: {
      databaseUrl: data.DATABASE_URL,
      temporalAddress: data.TEMPORAL_ADDRESS,
      smtpUrl: data.SMTP_URL,
      stripeApiBase: data.STRIPE_API_BASE,
      warehouseUrl: data.WAREHOUSE_URL,
    },
  };
}

/**
 * Checks every port before anything starts.
 * @throws SetupError that names each unusable port and its variable
 */
export async function checkPorts({ ports, real }: Settings): Promise<void> {
  const used = [
    { what: 'API', variable: 'API_PORT', number: ports.api, ours: true },
    { what: 'Temporal', variable: 'TEMPORAL_PORT', number: ports.temporal, ours: !real.temporalAddress },
    { what: 'Temporal Web UI', variable: 'TEMPORAL_UI_PORT', number: ports.temporalUi, ours: !real.temporalAddress },
    { what: 'PostgreSQL', variable: 'POSTGRES_PORT', number: ports.postgres, ours: !real.databaseUrl },
    { what: 'SMTP', variable: 'SMTP_PORT', number: ports.smtp, ours: !real.smtpUrl },
    { what: 'inbox', variable: 'INBOX_PORT', number: ports.inbox, ours: !real.smtpUrl },
    { what: 'payments', variable: 'PAYMENTS_PORT', number: ports.payments, ours: !real.stripeApiBase },
    { what: 'warehouse', variable: 'WAREHOUSE_PORT', number: ports.warehouse, ours: !real.warehouseUrl },
    { what: 'metrics of the API', variable: 'API_METRICS_PORT', number: ports.apiMetrics, ours: true },
    { what: 'metrics of the worker', variable: 'WORKER_METRICS_PORT', number: ports.workerMetrics, ours: true },
    { what: "metrics of Temporal's SDK", variable: 'TEMPORAL_METRICS_PORT', number: ports.temporalMetrics, ours: true },
  ].filter(({ ours }) => ours);

  const problems: string[] = [];
  // One at a time: two checks of the same port would disturb each other.
  const seen = new Map<number, string>();
  for (const { what, variable, number } of used) {
    const other = seen.get(number);
    seen.set(number, variable);
    const problem = other === undefined ? await portProblem(number) : `is also ${other}`;
    if (problem) problems.push(`Port ${number} (${what}) ${problem}. Choose another with ${variable}.`);
  }
  if (problems.length > 0) throw new SetupError(problems.join('\n'));
}
