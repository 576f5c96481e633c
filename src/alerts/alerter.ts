import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../describe-error.ts';
import type { Logger } from '../log.ts';
import { repeat } from '../repeat.ts';
import { createChannels, type ChannelOptions } from './channels.ts';
import { createAlertOutboxes } from './outbox.ts';
import { createAlertWatch, type WatchOptions } from './watch.ts';

/** ms between two looks, and between two times that a channel sends. */
const EVERY = 5_000;

/** ms that a look, or sending a message, may take to end. Postgres or the mail server may be what is away. */
const STOP_WITHIN = 2_000;

export interface AlerterOptions extends WatchOptions, ChannelOptions {
  log: Logger;
}

export interface Alerter {
  /** Looks once, and sends what is due. */
  look: () => Promise<void>;
  /** Looks every five seconds, and sends what is due meanwhile. @returns how to stop it */
  run: () => { stop: () => Promise<void> };
}

const FAILED = { watch: 'alerts could not be looked after', send: 'alerts could not be sent' };

/**
 * Tells people what is wrong. It needs nothing but Postgres: Temporal and the workers may be what is away. Every API and every worker
 * runs one, and together they are one.
 */
export function createAlerter(options: AlerterOptions): Alerter {
  const { db, log } = options;
  const ignore = (failed: string) => (error: unknown) => log.warn(describeError(error), failed);
  const watch = createAlertWatch(options);
  const outboxes = createAlertOutboxes({ db, log, channels: createChannels(options) });

  return {
    async look() {
      // What was written is sent even if nothing can be found out.
      await watch().catch(ignore(FAILED.watch));
      await Promise.all(outboxes.map((sendDue) => sendDue().catch(ignore(FAILED.send))));
    },
    run() {
      // Each by itself: a mail server that does not answer keeps no other channel from sending, and nobody from looking.
      const loops = [
        repeat({ every: EVERY, log, failed: FAILED.watch }, watch),
        ...outboxes.map((sendDue) => repeat({ every: EVERY, log, failed: FAILED.send }, sendDue)),
      ];
      return {
        async stop() {
          // What is not sent by then is sent by another process.
          await Promise.race([Promise.all(loops.map((loop) => loop.stop())), sleep(STOP_WITHIN, undefined, { ref: false })]);
        },
      };
    },
  };
}
