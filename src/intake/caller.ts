import type { Role } from '../contracts/statuses.ts';

/** Who asks: an API key and what it may do. */
export interface Caller {
  keyId: string;
  role: Role;
}

/** @returns how a caller is named in commands and histories: never by personal data. */
export const actorOf = (caller: Caller): string => `key:${caller.keyId}`;

/** @returns the key whose things alone the caller may see, or undefined when the caller sees everyone's. */
export const ownerFilter = (caller: Caller): string | undefined =>
  caller.role === 'customer' ? caller.keyId : undefined;
