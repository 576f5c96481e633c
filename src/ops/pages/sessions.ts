import { createHash, timingSafeEqual } from 'node:crypto';
import { and, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { apiKeys, operatorSessions } from '../../db/schema.ts';
import { recordOperatorAction } from '../../intake/audit.ts';
import { actorOf, type Caller } from '../../intake/caller.ts';
import { hashToken, newToken } from '../../intake/tokens.ts';
import type { Session } from './environment.ts';

/** How long, in seconds, a session lasts: a working day, and then the key is asked for again. */
export const SESSION_LIFETIME = 12 * 3_600;

/** Signs someone in. @returns the session's token: only its hash is stored */
export async function openSession(db: Database, caller: Caller): Promise<string> {
  const { token, hash } = newToken();
  await db.transaction(async (tx) => {
    await tx.delete(operatorSessions).where(lt(operatorSessions.expiresAt, sql`now()`));
    await tx.insert(operatorSessions).values({
      tokenHash: hash,
      keyId: caller.keyId,
      expiresAt: sql`now() + make_interval(secs => ${SESSION_LIFETIME})`,
    });
    await recordOperatorAction(tx, { actor: actorOf(caller), reason: "to the operator's page" }, 'sign_in', caller.keyId);
  });
  return token;
}

/** @returns the session of a token, unless it is over or its key was revoked or is no operator's */
export async function findSession(db: Database, token: string): Promise<Session | undefined> {
  const [found] = await db
    .select({ keyId: apiKeys.id, role: apiKeys.role })
    .from(operatorSessions)
    .innerJoin(apiKeys, eq(apiKeys.id, operatorSessions.keyId))
    .where(
      and(
        eq(operatorSessions.tokenHash, hashToken(token)),
        gt(operatorSessions.expiresAt, sql`now()`),
        isNull(apiKeys.revokedAt),
        eq(apiKeys.role, 'operator'),
      ),
    );
  return found && { token, caller: found, csrf: formToken(token) };
}

/** Signs someone out, wherever the token is still kept. */
export async function closeSession(db: Database, { token, caller }: Session): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.delete(operatorSessions).where(eq(operatorSessions.tokenHash, hashToken(token)));
    await recordOperatorAction(tx, { actor: actorOf(caller), reason: "from the operator's page" }, 'sign_out', caller.keyId);
  });
}

/** Follows from the session's token, which no other site knows, and does not give it away. */
const formToken = (token: string): string => createHash('sha256').update(`form:${token}`).digest('base64url');

/** @returns whether a form carries the token of the session it was sent in */
export function isOwnForm(session: Session, token: unknown): boolean {
  if (typeof token !== 'string') return false;
  const given = Buffer.from(token);
  const expected = Buffer.from(session.csrf);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
