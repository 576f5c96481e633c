import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';

/** Something that goes on until it is stopped. */
export interface Repeated {
  /** Resolves when the last run has ended. */
  stop(): Promise<void>;
}

/**
 * Does something now, and then again and again.
 * @param every ms between two runs
 * @param work its signal is aborted by `stop`. What it throws is logged, and the next run may succeed
 */
export function repeat(every: number, log: Logger, work: (signal: AbortSignal) => Promise<void>): Repeated {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    while (!signal.aborted) {
      await work(signal).catch((error: unknown) => log.warn({ error: error instanceof Error ? error.name : String(error) }, 'health not recorded'));
      await sleep(every, undefined, { signal }).catch(() => {});
    }
  };
  const running = loop();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
