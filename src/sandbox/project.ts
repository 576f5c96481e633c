import { fileURLToPath } from 'node:url';

/** The folder of this checkout, absolute. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** An error whose message is meant for the person at the terminal: shown as one line, without a stack. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
