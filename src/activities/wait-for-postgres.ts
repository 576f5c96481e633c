import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import { isDatabaseUnavailable } from '../db/availability.ts';
import { stopIfCancelled } from './cancellation.ts';

/** What the Web UI shows of an attempt that waits. */
export const WAITING_FOR_POSTGRES = 'waiting for Postgres';

/** ms between two tries. */
const SHORTEST = 200;
const LONGEST = 5_000;

/**
 * Runs an activity, again and again within the same attempt while Postgres is away, so that attempts count only the errors
 * of the dependency that they are for. Running it again is as harmless as another attempt. Only for activities with a
 * heartbeat timeout (see `RETRY_PROFILES`): their attempts may take long, because their death is noticed sooner.
 * @throws what the activity throws, also that Postgres is away, once the attempt's time is over or its worker shuts down
 * @throws CancelledFailure if the workflow cancels the activity meanwhile
 */
export async function waitingForPostgres<Result>(
  { info, heartbeat, cancellationSignal: signal }: Pick<Context, 'info' | 'heartbeat' | 'cancellationSignal'>,
  run: () => Promise<Result>,
): Promise<Result> {
  if (!info.heartbeatTimeoutMs) return await run();
  const end = Date.now() + info.startToCloseTimeoutMs;
  let details: string | undefined;
  const beat = setInterval(() => heartbeat(details), info.heartbeatTimeoutMs / 3);
  try {
    for (let pause = SHORTEST; ; pause = Math.min(2 * pause, LONGEST)) {
      try {
        return await run();
      } catch (error) {
        stopIfCancelled();
        if (!isDatabaseUnavailable(error) || signal.aborted || Date.now() + pause > end) throw error;
        details = WAITING_FOR_POSTGRES;
        heartbeat(details);
        // A shutdown ends the wait, too: the next try finds Postgres or is the last.
        await sleep(pause * (1 + Math.random()), undefined, { signal }).catch(() => {});
        stopIfCancelled();
      }
    }
  } finally {
    clearInterval(beat);
  }
}
