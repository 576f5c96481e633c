import { createHash, randomBytes } from 'node:crypto';

/** @returns a new verification token: what goes into the email, and the hash that is stored. */
export function newToken(): { token: string; hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

/** @returns the SHA-256 of a token in hex. A plain hash is enough: the token is 256 random bits. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');
