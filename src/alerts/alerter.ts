import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.ts';
import { createChannels, type ChannelOptions } from './channels.ts';
import { createAlertOutbox } from './outbox.ts';
import { createAlertWatch, type WatchOptions } from './watch.ts';

/** ms between two looks. */
const EVERY = 2_000;

/** ms that a look may take to end. Postgres may be what is away. */
const STOP_WITHIN = 2_000;

export interface AlerterOptions extends WatchOptions, ChannelOptions {
  log: Logger;
}

export interface Alerter {
  /** Looks once, and sends what is due. */
  look: () => Promise<void>;
  /** Looks every two seconds. @returns how to stop it */
  run: () => { stop: () => Promise<void> };
}

/**
 * Tells people what is wrong. It needs nothing but Postgres: Temporal and the workers may be what is away. Every API and every worker
 * runs one, and together they are one.
 */
export function createAlerter(options: AlerterOptions): Alerter {
  const { db, log } = options;
  const watch = createAlertWatch(options);
  const sendDue = createAlertOutbox({ db, log, channels: createChannels(options) });

  /** Each by itself: what was written is sent even if nothing can be found out. */
  async function look(): Promise<void> {
    await watch().catch((error: unknown) => log.warn({ err: error }, 'alerts could not be looked after'));
    await sendDue().catch((error: unknown) => log.warn({ err: error }, 'alerts could not be sent'));
  }

  return {
    look,
    run() {
      const stopping = new AbortController();
      const running = (async () => {
        while (!stopping.signal.aborted) {
          await look();
          await sleep(EVERY, undefined, { signal: stopping.signal }).catch(() => {});
        }
      })();
      return {
        async stop() {
          stopping.abort();
          // What is not sent by then is sent by another process.
          await Promise.race([running, sleep(STOP_WITHIN, undefined, { ref: false })]);
        },
      };
    },
  };
}
