import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { commands, idempotencyKeys, signups, verificationTokens } from '../../src/db/schema.ts';
import { acceptSignup, verifySignup } from '../../src/intake/signups.ts';
import { hashToken, newToken } from '../../src/records/tokens.ts';
import { createCaller } from '../support/caller.ts';
import { useDatabase } from '../support/database.ts';
import { outcomes, useOtherProcess } from './together.ts';

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

describe('accepting signups that come together', () => {
  it('accepts one for each address and key, and refuses the others', async () => {
    await accept('g0', 'old@example.com');
    const before = await counts();
    const results = await outcomes([
      accept('g1', 'g1@example.com'),
      accept('g2', 'g2@example.com'),
      accept('g3', 'twice@example.com'),
      accept('g4', 'Twice@example.com'),
      accept('g5', 'first@example.com'),
      accept('g5', 'second@example.com'),
      accept('g6', 'old@example.com'),
    ]);
    expect([results.slice(0, 2), results.slice(2, 4).toSorted(), results.slice(4, 6).toSorted(), results.slice(6)]).toEqual([
      ['accepted', 'accepted'],
      ['accepted', 'email_taken'],
      ['accepted', 'idempotency_key_reused'],
      ['email_taken'],
    ]);
    expect(await counts()).toEqual(before.map((count) => count + 4));
  });

  it('accepts the second of two requests with one key if the first was refused', async () => {
    await accept('h0', 'taken@example.com');
    const requests = [
      accept('h1', 'h1@example.com'),
      accept('h2', 'h2@example.com'),
      accept('h3', 'taken@example.com'),
      accept('h3', 'free@example.com'),
    ];
    const results = await outcomes(requests);
    expect(results).toEqual(['accepted', 'accepted', expect.stringMatching(/^(email_taken|idempotency_key_reused)$/), 'accepted']);
  });

  it('accepts one of two requests with one key in two processes', async () => {
    const other = useOtherProcess(db);
    const before = await counts();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        outcomes([
          accept(`p${index}`, `here-${index}@example.com`),
          acceptSignup(other, caller, {
            idempotencyKey: `p${index}`,
            requestHash: 'other',
            signup: { email: `there-${index}@example.com`, name: 'Ada' },
          }),
        ]),
      ),
    );
    expect(results.map((pair) => pair.toSorted())).toEqual(results.map(() => ['accepted', 'idempotency_key_reused']));
    expect(await counts()).toEqual(before.map((count) => count + 10));
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
