import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './project.ts';
import { identify } from './process-identity.ts';
import type { HomeClaim } from './home.ts';

/** How to run one program of the stack. */
export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment; defaults to this process's own. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Runs as this user instead of ours. */
  user?: { uid: number; gid: number };
  /** File its output is added to. */
  logFile: string;
  /** What asks this program to end in good order. */
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** How long it may take to end before it is killed, in milliseconds. */
  stopGraceMs: number;
  /** Resolves once the program serves; rejecting or not resolving within `readyWithinMs` fails the start. */
  isReady: (signal: AbortSignal, pid: number) => Promise<boolean>;
  readyWithinMs: number;
}

/** A running program of the stack. */
export interface Child {
  readonly pid: number;
  /** Asks it to end, kills it when it does not; resolves once it is gone. */
  stop(): Promise<void>;
  /** Kills it at once. */
  kill(): void;
}

/** What the owner of a child wants done besides running it. */
export interface Supervision {
  /** Notes the child, for the case that this process is killed. */
  claim?: Pick<HomeClaim, 'record' | 'forget'>;
  /** Gives up the start when aborted. */
  signal?: AbortSignal;
  /** The program ended by itself; it is started again in `delayMs`. */
  onDied?: (name: string, how: string, delayMs: number) => void;
  onRestarted?: (name: string) => void;
}

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** Having run this long, a program is taken as sound, and its next death as a first one. */
const soundAfterMs = 60_000;

/**
 * Starts a program, waits until it serves, and from then on starts it again whenever it ends by itself, ever more slowly.
 * It gets a process group of its own, so that Ctrl-C reaches only this process and the order of stopping stays ours.
 * @throws SetupError with the end of its log when it ends or does not serve in time
 */
export async function startChild(spec: ChildSpec, supervision: Supervision = {}): Promise<Child> {
  const { claim, signal: giveUp } = supervision;
  let stopping = false;
  let delayMs = firstDelayMs;
  const stopWaiting = new AbortController();

  const launch = async () => {
    const running = await spawnLogged(spec);
    const identity = await identify(running.pid);
    if (identity) await claim?.record({ name: spec.name, stopSignal: spec.stopSignal, identity });
    return running;
  };

  let current = await launch();
  const ready = await becomesReady(spec, current, giveUp ?? stopWaiting.signal);
  if (ready !== true) {
    await end(current, spec);
    await claim?.forget(spec.name);
    throw new SetupError(`${spec.name} ${ready}${await logTail(spec.logFile, current.logStart)}`);
  }
  let watching = watch(current);

  async function watch(running: Running): Promise<void> {
    const startedAt = Date.now();
    const how = await running.ended;
    if (stopping) return;
    if (Date.now() - startedAt > soundAfterMs) delayMs = firstDelayMs;
    supervision.onDied?.(spec.name, how, delayMs);
    await sleep(delayMs, undefined, { signal: stopWaiting.signal }).catch(() => undefined);
    delayMs = Math.min(delayMs * 2, longestDelayMs);
    if (stopping) return;
    current = await launch();
    watching = watch(current);
    if ((await becomesReady(spec, current, stopWaiting.signal)) === true && !stopping)
      supervision.onRestarted?.(spec.name);
  }

  return {
    get pid() {
      return current.pid;
    },
    async stop() {
      stopping = true;
      stopWaiting.abort();
      await end(current, spec);
      await watching;
      // A restart may have been under way while we stopped what was there before.
      await end(current, spec);
      await claim?.forget(spec.name);
    },
    kill() {
      stopping = true;
      stopWaiting.abort();
      current.process.kill('SIGKILL');
    },
  };
}

interface Running {
  process: ChildProcess;
  pid: number;
  /** Size of the log before it started, in bytes. */
  logStart: number;
  /** Resolves with how it ended. */
  ended: Promise<string>;
}

async function spawnLogged(spec: ChildSpec): Promise<Running> {
  await mkdir(dirname(spec.logFile), { recursive: true });
  const log = await open(spec.logFile, 'a', 0o600);
  try {
    const { size: logStart } = await log.stat();
    const child = spawn(spec.command, spec.args, {
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      ...(spec.env && { env: spec.env }),
      ...(spec.cwd && { cwd: spec.cwd }),
      ...spec.user,
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`));
      child.once('error', (error) => resolve(`could not be started (${error.message})`));
    });
    const { pid } = child;
    if (pid === undefined) throw new SetupError(`${spec.name} ${await ended}`);
    return { process: child, pid, logStart, ended };
  } finally {
    await log.close();
  }
}

/** Returns true, or what kept it from serving. */
async function becomesReady(spec: ChildSpec, running: Running, stop: AbortSignal): Promise<true | string> {
  const waited = AbortSignal.any([stop, AbortSignal.timeout(spec.readyWithinMs)]);
  const polling = (async () => {
    while (!waited.aborted) {
      if (await spec.isReady(waited, running.pid).catch(() => false)) return true;
      await sleep(50, undefined, { signal: waited }).catch(() => undefined);
    }
    return stop.aborted ? 'was stopped before it served' : `did not serve within ${spec.readyWithinMs / 1000} s`;
  })();
  return Promise.race([polling, running.ended]);
}

async function end(running: Running, spec: ChildSpec): Promise<void> {
  if (running.process.exitCode !== null || running.process.signalCode !== null) return;
  running.process.kill(spec.stopSignal);
  const timer = setTimeout(() => running.process.kill('SIGKILL'), spec.stopGraceMs);
  await running.ended;
  clearTimeout(timer);
}

async function logTail(file: string, from: number): Promise<string> {
  const content = await readFile(file).catch(() => Buffer.alloc(0));
  const text = content.subarray(from).toString('utf8');
  const lines = text.trim().split('\n').slice(-15);
  return `; the end of ${file}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}

/** Whether a loopback URL answers at all with a status below 500. */
export async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
  await response.arrayBuffer();
  return response.status < 500;
}
