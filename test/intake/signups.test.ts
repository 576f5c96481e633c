import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { commands, idempotencyKeys, signups, verificationTokens } from '../../src/db/schema.ts';
import { acceptSignup, verifySignup } from '../../src/intake/signups.ts';
import { hashToken, newToken } from '../../src/records/tokens.ts';
import { createCaller } from '../support/caller.ts';
import { useDatabase } from '../support/database.ts';

const db = await useDatabase();
const caller = await createCaller(db, 'customer');

const accept = (idempotencyKey: string, email: string) =>
  acceptSignup(db, caller, { idempotencyKey, requestHash: email, signup: { email, name: 'Ada' } });

const counts = () => Promise.all([signups, commands, idempotencyKeys].map((table) => db.$count(table)));

describe('accepting a signup', () => {
  it('writes nothing if the address is taken', async () => {
    await accept('k1', 'ada@example.com');
    const before = await counts();
    await expect(accept('k2', 'ADA@example.com')).rejects.toMatchObject({ type: 'email_taken' });
    expect(await counts()).toEqual(before);
  });

  it('answers a repeated request with the same signup, not with a conflict', async () => {
    const first = await accept('k3', 'grace@example.com');
    expect(await accept('k3', 'grace@example.com')).toEqual({ ...first, repeated: true });
  });
});

describe('a verification token', () => {
  it('is stored only as a hash', () => {
    const { token, hash } = newToken();
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(hash).toBe(hashToken(token));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(newToken().token).not.toBe(token);
  });

  it('marks all tokens of its signup as used', async () => {
    const { made } = await accept('k4', 'joan@example.com');
    const [first, second] = [newToken(), newToken()];
    await db.insert(verificationTokens).values([first, second].map(({ hash }) => ({ hash, signupId: made.id })));
    await verifySignup(db, made.id, first.token);
    const tokens = await db.select().from(verificationTokens).where(eq(verificationTokens.signupId, made.id));
    expect(tokens.every(({ usedAt }) => usedAt !== null)).toBe(true);
    await expect(verifySignup(db, made.id, second.token)).rejects.toMatchObject({ type: 'invalid_token' });
  });
});
