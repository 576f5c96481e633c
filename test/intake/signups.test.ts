import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type DatabaseHandle } from '../../src/db/client.ts';
import { commands, idempotencyKeys, signups, verificationTokens } from '../../src/db/schema.ts';
import type { Caller } from '../../src/contracts/caller.ts';
import { acceptSignup, verifySignup } from '../../src/intake/signups.ts';
import { hashToken, newToken } from '../../src/records/tokens.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let handle: DatabaseHandle;
let caller: Caller;
beforeAll(async () => {
  database = await createTestDatabase();
  handle = connectDatabase(database.url, { max: 10, name: 'test' });
  const { id } = await insertApiKey(handle.db, { name: 'a customer', role: 'customer' });
  caller = { keyId: id, role: 'customer' };
});
afterAll(async () => {
  await handle.close();
  await database.drop();
});

const take = (idempotencyKey: string, email: string) =>
  acceptSignup(handle.db, caller, { idempotencyKey, requestHash: email, signup: { email, name: 'Ada' } });

const counts = () => Promise.all([signups, commands, idempotencyKeys].map((table) => handle.db.$count(table)));

describe('taking a signup', () => {
  it('leaves nothing behind when the address is taken', async () => {
    await take('k1', 'ada@example.com');
    const before = await counts();
    await expect(take('k2', 'ADA@example.com')).rejects.toMatchObject({ type: 'email_taken' });
    expect(await counts()).toEqual(before);
  });

  it('answers a repetition with the signup, not with a conflict', async () => {
    const first = await take('k3', 'grace@example.com');
    expect(await take('k3', 'grace@example.com')).toEqual({ ...first, repeated: true });
  });
});

describe('a verification token', () => {
  it('is stored as a hash only', () => {
    const { token, hash } = newToken();
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(hash).toBe(hashToken(token));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(newToken().token).not.toBe(token);
  });

  it('marks all tokens of its signup as used', async () => {
    const { made } = await take('k4', 'joan@example.com');
    const [first, second] = [newToken(), newToken()];
    await handle.db
      .insert(verificationTokens)
      .values([first, second].map(({ hash }) => ({ hash, signupId: made.id })));
    await verifySignup(handle.db, made.id, first.token);
    const tokens = await handle.db.select().from(verificationTokens).where(eq(verificationTokens.signupId, made.id));
    expect(tokens.every(({ usedAt }) => usedAt !== null)).toBe(true);
    await expect(verifySignup(handle.db, made.id, second.token)).rejects.toMatchObject({ type: 'invalid_token' });
  });
});
