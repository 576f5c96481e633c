import { setTimeout as sleep } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { loadBulkAction, type BulkActionView } from '../views/bulk-action.ts';
import type { Connections } from './connections.ts';
import { print, type OutputOptions } from './output.ts';

/** ms between two looks */
const LOOK_EVERY = 1_000;

const FORMAT =
  '{bar} {percentage}%  {value}/{total}  {state}  succeeded {succeeded}, failed again {failedAgain}, cancelled {cancelled}, skipped {skipped}';

/**
 * Follows a bulk action until it has acted on its last item or is cancelled: a bar at a terminal, a line for each change
 * elsewhere. With `--json`, each line is the bulk action as the API shows it.
 * @throws RequestError `not_found`
 */
export async function watchBulkAction({ db, links }: Connections, id: string, options: OutputOptions): Promise<void> {
  const bar = options.json || !process.stdout.isTTY ? undefined : new SingleBar({ format: FORMAT, stream: process.stdout });
  let printed = '';
  for (let first = true; ; first = false) {
    const found = await loadBulkAction(db, links, id);
    const { state, progress } = found;
    const acted = progress.total - progress.pending;
    if (bar) {
      if (first) bar.start(progress.total, acted, { state, ...progress });
      else bar.update(acted, { state, ...progress });
    } else if (lineOf(found) !== printed) {
      printed = lineOf(found);
      print(options, found, () => printed);
    }
    if (state === 'completed' || state === 'cancelled') {
      bar?.stop();
      if (bar) console.log(lineOf(found));
      return;
    }
    await sleep(LOOK_EVERY);
  }
}

const lineOf = ({ state, pauseReason, progress, summary }: BulkActionView): string =>
  `${state}: ${progress.total - progress.pending} of ${progress.total} processed; ${summary}${pauseReason === null ? '' : `. ${pauseReason}`}`;
