import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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
  /** The whole environment. Default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The user to run it as. Default: the user of this process. */
  user?: { uid: number; gid: number };
  /** Its output is appended to this file. */
  logFile: string;
  /** The signal that asks it to shut down cleanly. */
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** How long it may take to stop before it is killed, in milliseconds. */
  stopGraceMs: number;
  /** Whether the program serves. Called again until it returns true; an error counts as false. */
  isReady: (signal: AbortSignal, pid: number) => Promise<boolean>;
  /** If it does not serve within this time, in milliseconds, the start fails. */
  readyWithinMs: number;
}

/** A running program of the stack. */
export interface Child {
  readonly pid: number;
  /** Asks it to stop, kills it if it does not, and resolves once it is gone. */
  stop(): Promise<void>;
  /** Kills it at once. */
  kill(): void;
}

/** What the caller can observe and control while a child runs. */
export interface Supervision {
  /** Records the child, so that the next start can end it if this process is killed. */
  claim?: Pick<HomeClaim, 'record' | 'forget'>;
  /** Aborts the start. */
  signal?: AbortSignal;
  /** The program ended by itself and will be restarted in `delayMs`. */
  onDied?: (name: string, how: string, delayMs: number) => void;
  onRestarted?: (name: string) => void;
}

const firstDelayMs = 500;
const longestDelayMs = 30_000;
/** If a program ran at least this long, its next restart has the first delay again. */
const stableAfterMs = 60_000;

/**
 * Starts a program and waits until it serves. From then on, restarts it whenever it ends by itself, with growing delays.
 * It gets its own process group: Ctrl-C then reaches only this process, which stops everything in the right order.
 * @throws SetupError with the end of its log if it ends or does not serve in time
 */
export async function startChild(spec: ChildSpec, supervision: Supervision = {}): Promise<Child> {
  const { claim, onDied, onRestarted } = supervision;
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopRequested = once(signal, 'abort');

  let current = await launch();
  const ready = await becomesReady(spec, current, supervision.signal ?? signal);
  if (ready !== true) {
    await end(current, spec);
    await claim?.forget(spec.name);
    throw new SetupError(`${spec.name} ${ready}${await logTail(spec.logFile, current.logStart)}`);
  }
  const supervised = supervise();

  async function launch(): Promise<Running> {
    const running = await spawnLogged(spec);
    const identity = await identify(running.pid);
    if (identity) await claim?.record({ name: spec.name, stopSignal: spec.stopSignal, identity });
    return running;
  }

  /** Restarts the program until a stop is requested, then ends it. */
  async function supervise(): Promise<void> {
    let delayMs = firstDelayMs;
    for (;;) {
      await Promise.race([current.ended, stopRequested]);
      if (signal.aborted) break;
      if (Date.now() - current.startedAt > stableAfterMs) delayMs = firstDelayMs;
      onDied?.(spec.name, await current.ended, delayMs);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      delayMs = Math.min(delayMs * 2, longestDelayMs);
      current = await launch();
      const back = await Promise.race([becomesReady(spec, current, signal), stopRequested]);
      if (back === true) onRestarted?.(spec.name);
    }
    await end(current, spec);
  }

  return {
    get pid() {
      return current.pid;
    },
    async stop() {
      stopping.abort();
      await supervised;
      await claim?.forget(spec.name);
    },
    kill() {
      stopping.abort();
      current.process.kill('SIGKILL');
    },
  };
}

interface Running {
  process: ChildProcess;
  pid: number;
  startedAt: number;
  /** Size of the log before it started, in bytes. */
  logStart: number;
  /** Resolves once it has ended, and says how. */
  ended: Promise<string>;
}

async function spawnLogged(spec: ChildSpec): Promise<Running> {
  await mkdir(dirname(spec.logFile), { recursive: true });
  const log = await open(spec.logFile, 'a', 0o600);
  try {
    await log.chmod(0o600);
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
    return { process: child, pid, startedAt: Date.now(), logStart, ended };
  } finally {
    await log.close();
  }
}

/** Waits until the program serves. Returns true, or the reason why it does not. */
async function becomesReady(spec: ChildSpec, running: Running, stop: AbortSignal): Promise<true | string> {
  const waited = AbortSignal.any([stop, AbortSignal.timeout(spec.readyWithinMs)]);
  const polling = (async () => {
    while (!waited.aborted) {
      if (await spec.isReady(waited, running.pid).catch(() => false)) return true;
      await sleep(50, undefined, { signal: waited }).catch(() => undefined);
    }
    return stop.aborted ? 'was stopped before it served' : `did not serve within ${spec.readyWithinMs / 1_000} s`;
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
  return `. The end of ${file}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}

/** Whether a URL answers with a status below 500. */
export async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
  await response.arrayBuffer();
  return response.status < 500;
}
