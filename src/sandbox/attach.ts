// Runs a command of this project on the stack that `npm start` runs, unless the environment names a database:
//
//   tsx src/sandbox/attach.ts src/cli/main.ts failures list
//
// The stack is found as `npm start` finds it: by HOLDFAST_HOME and the ports.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applicationEnvironment } from './application-environment.ts';
import { databaseUrl } from './postgres.ts';
import { projectRoot, SetupError } from './project.ts';
import { loadSecrets } from './secrets.ts';
import { readSettings } from './settings.ts';

const [entry = '', ...args] = process.argv.slice(2);
try {
  if (!process.env['DATABASE_URL']) await attach();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exit(2);
}
const file = resolve(projectRoot, entry);
process.argv = [process.execPath, file, ...args];
await import(pathToFileURL(file).href);

/** Makes the environment of this process that of the stack's own applications. */
async function attach(): Promise<void> {
  const settings = readSettings(process.env);
  const { home, ports, real } = settings;
  if (!existsSync(join(home, 'secrets.json'))) return;
  const secrets = await loadSecrets(home);
  const environment = applicationEnvironment(settings, process.env, secrets, {
    database: databaseUrl({ port: ports.postgres, password: secrets.databasePassword }),
    temporal: real.temporalAddress ?? at(ports.temporal),
    mail: real.smtpUrl ?? `smtp://${at(ports.smtp)}`,
    payments: real.stripeApiBase ?? `http://${at(ports.payments)}`,
    warehouse: real.warehouseUrl ?? `http://${at(ports.warehouse)}`,
  });
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}
