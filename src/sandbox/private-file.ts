import { chmodSync, closeSync, openSync } from 'node:fs';

/** Creates a file that only its owner can read, or takes the rights of others from one that exists. */
export function makePrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}
