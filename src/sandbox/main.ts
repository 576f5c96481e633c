// `npm start`: runs the whole of Holdfast on this machine until Ctrl-C.
import { inspect } from 'node:util';
import { createBootLog } from './boot-log.ts';
import { SetupError } from './project.ts';
import { readSettings } from './settings.ts';
import { startStack, type Stack } from './stack.ts';
import { welcome } from './welcome.ts';

/** A terminal sends Ctrl-C to all its processes and npm passes its own copy on; within this time they are one. */
const samePressMs = 700;

const log = createBootLog(process.stdout);
// A terminal that was closed must not end the shutdown half-way.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

let stack: Stack | undefined;
let firstSignalAt: number | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
process.on('uncaughtException', (error) => void fail(error));
// Whatever else happens, nothing is left running.
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
    log.line('Stopped at once.');
    process.exit(130);
  }
}

async function shutDown(code: number) {
  log.line('Stopping … (Ctrl-C again to stop at once)');
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
  } catch (failure) {
    log.line(String(failure));
  }
  process.exit(1);
}
