import { createHash, randomBytes } from 'node:crypto';

/** Random secrets (verification tokens, sessions, API keys) of which only the hash is stored. */

/** @returns a new token, and the hash to store */
export function newToken(): { token: string; hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

/** @returns the SHA-256 of a token in hex. A plain hash is enough: the token is 256 random bits */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');
