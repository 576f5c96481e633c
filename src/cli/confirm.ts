import { createInterface } from 'node:readline/promises';
import { RefusedError, UsageError } from './exit.ts';

/** Above this, a person has to type the number: a slip of the hand must not act on thousands. */
const MANY = 20;

/**
 * Asks the person at the terminal to agree, unless `--yes` was given.
 * @param deed what is about to be done, e.g. `Retry 3 orders`
 * @param count how many things it touches
 * @throws UsageError without a terminal, RefusedError when they do not agree
 */
export async function confirm(deed: string, options: { yes?: boolean }, count = 1): Promise<void> {
  if (options.yes) return;
  if (!process.stdin.isTTY) throw new UsageError(`${deed}: no terminal to confirm it at. Use --yes.`);
  const expected = count > MANY ? String(count) : 'y';
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${deed}? ${count > MANY ? `Type ${count} to continue` : '[y/N]'} `);
    if (answer.trim().toLowerCase() !== expected) throw new RefusedError('Nothing was done.');
  } finally {
    terminal.close();
  }
}
