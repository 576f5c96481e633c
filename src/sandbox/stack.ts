import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootLog } from './boot-log.ts';
import { claimHome } from './home.ts';
import {
  apiPart,
  inboxPart,
  paymentsPart,
  postgresPart,
  requireVariable,
  temporalPart,
  temporalProfile,
  warehousePart,
  workerPart,
  type StackContext,
} from './parts.ts';
import { prepareDatabase, workerIsPolling } from './prepare.ts';
import { SetupError } from './project.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { checkPorts, type Settings } from './settings.ts';
import { Shutdown } from './shutdown.ts';

/** A stack being run. */
export interface Stack {
  /** Resolves once everything serves. */
  readonly up: Promise<Secrets>;
  /** Stops everything in order, also while it is still starting. */
  stop: () => Promise<void>;
  /** Ends every process at once. */
  kill: () => void;
}

/**
 * Starts the embedded stack: what does not depend on one another at the same time.
 * Never leaves anything running when the start fails: call `stop` then too.
 */
export function startStack(settings: Settings, variables: NodeJS.ProcessEnv, log: BootLog): Stack {
  const shutdown = new Shutdown();
  const giveUp = new AbortController();
  const up = boot(settings, variables, log, shutdown, giveUp.signal);
  let stopping: Promise<void> | undefined;
  return {
    up,
    stop: () => {
      giveUp.abort();
      return (stopping ??= Promise.allSettled([up]).then(() => shutdown.stopAll()));
    },
    kill: () => shutdown.killAll(),
  };
}

async function boot(
  settings: Settings,
  variables: NodeJS.ProcessEnv,
  log: BootLog,
  shutdown: Shutdown,
  signal: AbortSignal,
): Promise<Secrets> {
  const { home, real } = settings;
  refuseProduction(variables, settings);
  const claim = await claimHome(home);
  shutdown.add('home', { stop: () => claim.release() });
  if (claim.endedOrphans.length > 0)
    log.line(`  Ended what the last run left behind: ${claim.endedOrphans.join(', ')}`);
  await checkPorts(settings);
  await mkdir(join(home, 'logs'), { recursive: true });
  const secrets = await loadSecrets(home);

  const context: StackContext = {
    settings,
    secrets,
    shutdown,
    tell: (line) => log.line(line),
    supervision: {
      claim,
      signal,
      onDied: (name, how, delayMs) => log.line(`! ${name} ${how}; starting it again in ${delayMs / 1_000} s`),
      onRestarted: (name) => log.line(`! ${name} is back`),
    },
  };
  /** A step that is run here unless a real part takes its place. */
  const part = (name: string, replacement: string | undefined, start: (context: StackContext) => Promise<string>) => {
    if (replacement === undefined) return log.step(name, () => start(context));
    log.line(`  ${name}: the one given in the environment`);
    return Promise.resolve(replacement);
  };

  const database = part('PostgreSQL', real.databaseUrl, postgresPart);
  const temporal = part('Temporal', real.temporalAddress, temporalPart);
  const mail = part('Inbox', real.smtpUrl, inboxPart);
  const payments = part('Payment simulator', real.stripeApiBase, paymentsPart);
  const warehouse = part('Warehouse simulator', real.warehouseUrl, warehousePart);
  const migrated = database.then((url) => log.step('Schema, catalogue and keys', () => prepareDatabase(url, secrets)));
  await allSettledOrThrow([database, temporal, mail, payments, warehouse, migrated]);
  signal.throwIfAborted();

  const env = applicationEnvironment(settings, variables, secrets, {
    database: await database,
    temporal: await temporal,
    mail: await mail,
    payments: await payments,
    warehouse: await warehouse,
  });
  const isPolling = workerIsPolling(env);
  await allSettledOrThrow([
    log.step('API', () => apiPart(context, env)),
    log.step('Worker, search attributes, schedules', () => workerPart(context, env, isPolling)),
  ]);
  signal.throwIfAborted();
  return secrets;
}

/** Waits for all, because what still starts must be known before it can be stopped; then throws the first failure. */
async function allSettledOrThrow(work: Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}

interface Addresses {
  database: string;
  temporal: string;
  mail: string;
  payments: string;
  warehouse: string;
}

function applicationEnvironment(
  settings: Settings,
  variables: NodeJS.ProcessEnv,
  secrets: Secrets,
  addresses: Addresses,
): NodeJS.ProcessEnv {
  const { ports, real } = settings;
  // Credentials and the configuration file of the person's own Temporal are not for the embedded one, which has no TLS.
  const foreign = /^TEMPORAL_(API_KEY|PROFILE|CONFIG_FILE|TLS.*)$/;
  const own = Object.entries(variables).filter(([name]) => real.temporalAddress !== undefined || !foreign.test(name));
  return {
    MAIL_FROM: 'Holdfast <shop@holdfast.example>',
    OPERATIONS_EMAIL: 'operations@holdfast.example',
    ONCALL_EMAIL: 'oncall@holdfast.example',
    TEMPORAL_UI_URL: `http://127.0.0.1:${ports.temporalUi}`,
    PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
    API_HOST: '127.0.0.1',
    ...(real.temporalAddress === undefined && { TEMPORAL_CONFIG_FILE: join(settings.home, temporalProfile) }),
    ...Object.fromEntries(own),
    DATABASE_URL: addresses.database,
    TEMPORAL_ADDRESS: addresses.temporal,
    TEMPORAL_NAMESPACE: settings.namespace,
    SMTP_URL: addresses.mail,
    STRIPE_API_BASE: addresses.payments,
    STRIPE_SECRET_KEY: real.stripeApiBase
      ? requireVariable(variables, 'STRIPE_SECRET_KEY', 'STRIPE_API_BASE')
      : secrets.stripeSecretKey,
    WAREHOUSE_URL: addresses.warehouse,
    WAREHOUSE_API_KEY: real.warehouseUrl
      ? requireVariable(variables, 'WAREHOUSE_API_KEY', 'WAREHOUSE_URL')
      : secrets.warehouseApiKey,
    WAREHOUSE_WEBHOOK_SECRET: real.warehouseUrl
      ? requireVariable(variables, 'WAREHOUSE_WEBHOOK_SECRET', 'WAREHOUSE_URL')
      : secrets.warehouseWebhookSecret,
    API_PORT: String(ports.api),
  };
}

function refuseProduction(variables: NodeJS.ProcessEnv, { real }: Settings) {
  const simulated = real.smtpUrl === undefined || real.stripeApiBase === undefined || real.warehouseUrl === undefined;
  if (variables['NODE_ENV'] === 'production' && simulated) {
    throw new SetupError(
      '"npm start" runs simulators, which refuse NODE_ENV=production. For production see docker-compose.yml.',
    );
  }
}
