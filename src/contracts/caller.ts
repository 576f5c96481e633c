import { ROLES, type Role } from './statuses.ts';

/** Groups of roles. What may be done, and seen, is given to one of them: in the API by `api/access.ts`, on the page by `console/access.ts`. */
export const ROLES_OF = {
  anyKey: ROLES,
  staff: ['support', 'operator'],
  operators: ['operator'],
} as const satisfies Record<string, readonly Role[]>;

/** Who calls: an API key and what it may do. */
export interface Caller {
  keyId: string;
  role: Role;
}

/** Who wants something done (e.g. `key:<id>`, `cli:ada`), and why. Both are kept. */
export interface Instruction {
  actor: string;
  reason: string;
}

/** @returns how a caller is named in commands, histories and the audit: never by personal data */
export const actorOf = ({ keyId }: Pick<Caller, 'keyId'>): string => `key:${keyId}`;

/** @returns the key whose things alone the caller may see, or undefined when the caller sees everyone's */
export const ownerFilter = (caller: Caller): string | undefined =>
  caller.role === 'customer' ? caller.keyId : undefined;
