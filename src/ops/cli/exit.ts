import { CommanderError, type Command } from 'commander';
import { ConfigError } from '../../config.ts';
import { IntakeError } from '../../intake/errors.ts';

/** What a command ends with. Scripts rely on them. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, unwell: 4 } as const;

export const EXIT_HELP = `
Exit codes:
  0  done
  1  failed
  2  wrong usage, or the environment is not complete
  3  not found, or refused as things stand
  4  doctor found something to mend`;

/** The command line as given makes no sense. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly type = 'usage';
}

/** There is nothing of the kind that was asked for, or it cannot be done as things stand. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly type = 'refused';
}

/** Runs a command line to its end. Whatever goes wrong becomes one line on standard error (JSON with `--json`) and an exit code. */
export async function run(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    // Commander has said it already.
    if (error instanceof CommanderError) return;
    const message = messageOf(error);
    console.error(
      process.argv.includes('--json')
        ? JSON.stringify({ error: { type: typeOf(error), message } })
        : `${program.name()}: ${message}`,
    );
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof UsageError || error instanceof ConfigError) return EXIT.usage;
  if (error instanceof IntakeError || error instanceof RefusedError) return EXIT.refused;
  return EXIT.failed;
}

function typeOf(error: unknown): string {
  if (error instanceof IntakeError || error instanceof RefusedError) return error.type;
  return exitCodeOf(error) === EXIT.usage ? 'usage' : 'failed';
}

/** The message of a failed query holds its parameters; what went wrong is in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return messageOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
