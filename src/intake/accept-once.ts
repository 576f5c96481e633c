import type { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import type { Database } from '../db/client.ts';
import { findFirst, type IdempotentRequest, type Once } from '../records/idempotency.ts';
import { newId } from '../records/new-id.ts';

/** How to accept a request. */
export interface Acceptance<Made> {
  /** Where it is to be found, under its id. */
  path: string;
  /** Reads back what was stored. */
  schema: z.ZodType<Made>;
  /** Makes it, with its key. @returns undefined, without a trace, if the key was used or something is in the way */
  accept: (id: string) => Promise<Made | undefined>;
  /** Throws the reason if something is in the way. */
  refuse: () => Promise<void>;
}

/** What is in the way may go just then, e.g. when a product is put on sale. */
const ATTEMPTS = 3;

/**
 * Accepts a request once per caller and key. A duplicate that arrives meanwhile gets the same answer. A request that is refused
 * leaves no key behind, so a corrected one may use it again.
 * @throws RequestError the reason of `refuse`, or `idempotency_key_reused` when the key was used for another request
 */
export async function acceptOnce<Made>(
  db: Database,
  caller: Caller,
  request: IdempotentRequest,
  { path, schema, accept, refuse }: Acceptance<Made>,
): Promise<Once<Made>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const id = newId();
    const made = await accept(id);
    if (made) return { made, location: `${path}/${id}`, repeated: false };
    // The statement decided for what it saw. The first of two requests at once may have committed since.
    const first = await findFirst(db, caller, request, schema);
    if (first) return first;
    await refuse();
  }
  throw new Error('A request was neither accepted nor refused.');
}
