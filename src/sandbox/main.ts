// `npm start`: runs all of Holdfast on this machine until Ctrl-C.
import { inspect } from 'node:util';
import { createBootLog } from './boot-log.ts';
import { SetupError } from './project.ts';
import { readSettings } from './settings.ts';
import { startStack, type Stack } from './stack.ts';
import { welcome } from './welcome.ts';

/** One Ctrl-C arrives twice: from the terminal and from npm. Signals within this time count as one. */
const samePressMs = 700;

const log = createBootLog(process.stdout);
// A closed terminal must not interrupt the shutdown.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

let stack: Stack | undefined;
let firstSignalAt: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
process.on('uncaughtException', (error) => void fail(error));
// Leaves no process running, however this one ends.
process.on('exit', () => stack?.kill());

try {
  const started = performance.now();
  const settings = readSettings(process.env);
  stack = startStack(settings, process.env, log);
  const secrets = await stack.up;
  log.line(welcome(settings, secrets, performance.now() - started));
} catch (error) {
  if (firstSignalAt === undefined) await fail(error);
}

function onSignal() {
  if (firstSignalAt === undefined) {
    firstSignalAt = performance.now();
    void shutDown(0);
  } else if (performance.now() - firstSignalAt > samePressMs) {
    log.line('Killed.');
    process.exit(130);
  }
}

async function shutDown(code: number) {
  log.line('Stopping … (press Ctrl-C again to kill everything at once)');
  try {
    await stack?.stop();
    log.line('Stopped.');
    process.exit(code);
  } catch (error) {
    log.line(String(error));
    process.exit(1);
  }
}

async function fail(error: unknown) {
  log.line(error instanceof SetupError ? error.message : inspect(error));
  try {
    await stack?.stop();
  } catch (stopError) {
    log.line(String(stopError));
  }
  process.exit(1);
}
