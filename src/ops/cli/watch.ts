import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import type { Database } from '../../db/client.ts';
import { notFound } from '../../intake/errors.ts';
import type { ReplayProgress } from '../../intake/replays.ts';
import { readReplay } from '../replays.ts';
import { print, type OutputOptions } from './output.ts';
import { progressView } from './views.ts';

const LOOK_EVERY = 1_000;

/**
 * Follows a bulk replay until it has acted on its last item, or is cancelled: a bar at a terminal, a line for each
 * change elsewhere. With `--json` every line is one JSON object.
 * @throws IntakeError `not_found`
 */
export async function watchReplay(db: Database, id: string, options: OutputOptions): Promise<void> {
  const bar = options.json || !process.stdout.isTTY ? undefined : new SingleBar({ format: FORMAT, stream: process.stdout });
  let said = '';
  for (let first = true; ; first = false) {
    const { state, progress } = await look(db, id);
    const acted = progress.total - progress.pending;
    if (bar) {
      if (first) bar.start(progress.total, acted, payload(state, progress));
      else bar.update(acted, payload(state, progress));
    } else if (lineOf(state, progress) !== said) {
      said = lineOf(state, progress);
      print(options, { id, state, progress: progressView(progress) }, () => said);
    }
    if (state === 'completed' || state === 'cancelled') {
      bar?.stop();
      if (bar) console.log(lineOf(state, progress));
      return;
    }
    await sleep(LOOK_EVERY);
  }
}

const FORMAT = '{bar} {percentage}%  {value}/{total}  {state}  mended {succeeded}, failed again {failedAgain}, refused {refused}';

const payload = (state: string, { succeeded, failedAgain, refused }: ReplayProgress) => ({
  state,
  succeeded,
  failedAgain,
  refused,
});

const lineOf = (state: string, progress: ReplayProgress): string =>
  `${state}: ${progress.total - progress.pending} of ${progress.total} acted on; mended ${progress.succeeded}, ` +
  `failed again ${progress.failedAgain}, refused ${progress.refused}`;

async function look(db: Database, id: string) {
  const found = await readReplay(db, id);
  if (!found) throw notFound('bulk replay');
  return { state: found.replay.state, progress: found.progress };
}
