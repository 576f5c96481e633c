// Runs a command of this project against the stack that `npm start` started, as `npm run ops` and `npm run replay` do:
//
//   tsx src/sandbox/run-on-stack.ts src/cli/main.ts failures list
//
// Gives the command the environment of that stack (database, Temporal, keys), then runs it in this process. HOLDFAST_HOME
// and the port variables select the stack. If DATABASE_URL is set, or if no stack was ever started, the environment stays
// as it is.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applicationEnvironment } from './application-environment.ts';
import { localUrl } from './ports.ts';
import { databaseUrl } from './postgres.ts';
import { projectRoot, SetupError } from './project.ts';
import { loadSecrets } from './secrets.ts';
import { readSettings } from './settings.ts';

const [entry = '', ...args] = process.argv.slice(2);
try {
  if (!process.env['DATABASE_URL']) await useStackEnvironment();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(2);
}
const file = resolve(projectRoot, entry);
process.argv = [process.execPath, file, ...args];
await import(pathToFileURL(file).href);

/** Replaces the environment of this process by the one that the stack's API and worker have. */
async function useStackEnvironment(): Promise<void> {
  const settings = readSettings(process.env);
  const { home, ports, real } = settings;
  if (!existsSync(join(home, 'secrets.json'))) return;
  const secrets = await loadSecrets(home);
  const environment = applicationEnvironment(settings, process.env, secrets, {
    database: databaseUrl({ port: ports.postgres, password: secrets.databasePassword }),
    temporal: real.temporalAddress ?? `127.0.0.1:${ports.temporal}`,
    mail: real.smtpUrl ?? `smtp://127.0.0.1:${ports.smtp}`,
    payments: real.stripeApiBase ?? localUrl(ports.payments),
    warehouse: real.warehouseUrl ?? localUrl(ports.warehouse),
  });
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}
