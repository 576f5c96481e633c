import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { applicationEnvironment } from './application-environment.ts';
import type { BootLog } from './boot-log.ts';
import { claimHome } from './home.ts';
import {
  apiPart,
  inboxPart,
  paymentsPart,
  postgresPart,
  temporalPart,
  warehousePart,
  workerPart,
  type StackContext,
} from './parts.ts';
import { prepareDatabase, workerIsPolling } from './prepare.ts';
import { SetupError } from './project.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { checkPorts, type Settings } from './settings.ts';
import { Shutdown } from './shutdown.ts';

/** A stack that is starting or running. */
export interface Stack {
  /** Resolves once everything serves. */
  readonly up: Promise<Secrets>;
  /** Stops everything in order. Also works while the stack is starting. */
  stop: () => Promise<void>;
  /** Ends every process at once. */
  kill: () => void;
}

/**
 * Starts the embedded stack. Independent parts start at the same time.
 * If the start fails, call `stop` to end the parts that did start.
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
    log.line(`  Ended processes that the last run left behind: ${claim.endedOrphans.join(', ')}`);
  await checkPorts(settings);
  await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(home);

  const context: StackContext = {
    settings,
    secrets,
    shutdown,
    tell: (line) => log.line(line),
    supervision: {
      claim,
      signal,
      onDied: (name, how, delayMs) => log.line(`! ${name} ${how}. Restarting it in ${delayMs / 1_000} s.`),
      onRestarted: (name) => log.line(`! ${name} is running again.`),
    },
  };
  /** Starts a part, unless the environment names a real service to use instead. */
  const part = (name: string, replacement: string | undefined, start: (context: StackContext) => Promise<string>) => {
    if (replacement === undefined) return log.step(name, () => start(context));
    log.line(`  ${name}: using the one from the environment`);
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

/** Throws the first error, but only once all are settled: a part that is still starting could not be stopped. */
async function allSettledOrThrow(work: Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const rejected = outcomes.find((outcome) => outcome.status === 'rejected');
  if (rejected) throw rejected.reason;
}

function refuseProduction(variables: NodeJS.ProcessEnv, { real }: Settings) {
  const simulated = real.smtpUrl === undefined || real.stripeApiBase === undefined || real.warehouseUrl === undefined;
  if (variables['NODE_ENV'] === 'production' && simulated) {
    throw new SetupError(
      '"npm start" runs simulators, which do not run with NODE_ENV=production. For production, see docker-compose.yml.',
    );
  }
}
