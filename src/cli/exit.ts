import { CommanderError, type Command } from 'commander';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import { RequestError } from '../contracts/request-error.ts';

/** Exit codes. Scripts rely on them. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, problem: 4 } as const;

export const EXIT_HELP = `
Exit codes:
  0  done
  1  failed
  2  wrong usage, or an incomplete environment
  3  not found, or refused in the present state
  4  doctor found a problem, or reconcile a difference`;

/** The command line is wrong. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly type = 'usage';
}

/** Nothing matches, or the present state does not allow it. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly type = 'refused';
}

/** Runs a command line to its end. An error becomes one line on standard error (JSON with `--json`) and an exit code. */
export async function run(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    // Commander has already printed it.
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
  if (error instanceof UsageError || error instanceof ConfigError || error instanceof z.ZodError) return EXIT.usage;
  if (error instanceof RequestError || error instanceof RefusedError) return EXIT.refused;
  return EXIT.failed;
}

function typeOf(error: unknown): string {
  if (error instanceof RequestError || error instanceof RefusedError) return error.type;
  return exitCodeOf(error) === EXIT.usage ? 'usage' : 'failed';
}

/** The message of a failed query holds its parameters; what went wrong is in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof z.ZodError) return describeIssues(error);
  if (error.cause instanceof Error) return messageOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

/** @returns what is wrong with given values, in one line */
export const describeIssues = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
