import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { Database, Transaction } from '../db/client.ts';
import { idempotencyKeys } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import type { Caller } from '../contracts/caller.ts';
import { RequestError } from '../contracts/request-error.ts';

/** What makes two requests the same: the key they were sent with, and a hash of their content. */
export interface IdempotentRequest {
  idempotencyKey: string;
  requestHash: string;
  /** Leads from the log of the request to those of its run. */
  requestId?: string;
  /** Of the span of the request, while it is traced. */
  traceparent?: string | undefined;
}

/** What a request created, in a form that survives JSON. */
interface Creation<Made> {
  made: Made;
  location: string;
}

export type Once<Made> = Creation<Made> & { repeated: boolean };

/** Rolls back what found a key free. */
class FreeKeyError extends Error {
  override name = 'FreeKeyError';
}

/**
 * Looks whether a request repeats an earlier one. If that is still under way, this waits for its outcome.
 * @returns the first answer, or undefined if this request is the first
 * @throws RequestError `idempotency_key_reused` when the key was used for another request
 */
export async function findFirst<Made>(
  db: Database,
  caller: Caller,
  request: IdempotentRequest,
  schema: z.ZodType<Made>,
): Promise<Once<Made> | undefined> {
  try {
    return await createOnce(db, caller, request, schema, () => Promise.reject(new FreeKeyError()));
  } catch (error) {
    if (error instanceof FreeKeyError) return undefined;
    throw error;
  }
}

/**
 * Creates something once per caller and key, in one transaction. The key is written first: a duplicate that arrives
 * meanwhile waits for it, then finds the committed outcome. A creation that throws leaves no key behind, so a corrected
 * request may use it again.
 * @param schema reads back what was stored
 * @param create makes it; gets the transaction of the key
 * @throws RequestError `idempotency_key_reused` when the key was used for another request
 */
export async function createOnce<Made>(
  db: Database,
  caller: Caller,
  request: IdempotentRequest,
  schema: z.ZodType<Made>,
  create: (tx: Transaction) => Promise<Creation<Made>>,
): Promise<Once<Made>> {
  const row = { owner: caller.keyId, key: request.idempotencyKey };
  const sameKey = and(eq(idempotencyKeys.owner, row.owner), eq(idempotencyKeys.key, row.key));
  return transaction(db, async (tx) => {
    const claimed = await tx
      .insert(idempotencyKeys)
      .values({ ...row, requestHash: request.requestHash, location: '', body: {} })
      .onConflictDoNothing()
      .returning({ key: idempotencyKeys.key });
    if (claimed.length > 0) {
      const creation = await create(tx);
      await tx.update(idempotencyKeys).set({ location: creation.location, body: creation.made }).where(sameKey);
      return { ...creation, repeated: false };
    }
    const [first] = await tx.select().from(idempotencyKeys).where(sameKey);
    if (first?.requestHash !== request.requestHash) {
      throw new RequestError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for a different request. Send a new key with a new request.',
      );
    }
    return { made: schema.parse(first.body), location: first.location, repeated: true };
  });
}
