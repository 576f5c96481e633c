import { fileURLToPath } from 'node:url';

/** Absolute path of this checkout. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** An error whose message tells the user what to do. It is shown without a stack trace. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
