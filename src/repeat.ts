import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from './describe-error.ts';
import type { Logger } from './log.ts';

/** Something that goes on until it is stopped. */
export interface Repeated {
  /** Resolves when the last run has ended. */
  stop(): Promise<void>;
}

/**
 * Does something now, and then again and again.
 * @param options `every` ms between two runs; `failed`: what is logged when one throws. The next may succeed
 * @param work its signal is aborted by `stop`
 */
export function repeat(
  { every, log, failed }: { every: number; log: Logger; failed: string },
  work: (signal: AbortSignal) => Promise<void>,
): Repeated {
  const stopping = new AbortController();
  const { signal } = stopping;
  const loop = async () => {
    while (!signal.aborted) {
      await work(signal).catch((error: unknown) => log.warn(describeError(error), failed));
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
