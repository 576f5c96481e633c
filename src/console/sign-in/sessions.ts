import { createHash, timingSafeEqual } from 'node:crypto';
import { and, eq, gt, inArray, lt, sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { apiKeys, apiKeySecrets, operatorSessions } from '../../db/schema.ts';
import { transaction } from '../../db/transaction.ts';
import { isInUse } from '../../queries/api-keys.ts';
import { recordOperatorAction } from '../../records/audit.ts';
import { actorOf, ROLES_OF, type Caller } from '../../contracts/caller.ts';
import { hashToken, newToken } from '../../records/tokens.ts';
import type { Session } from '../environment.ts';

export const SESSION_COOKIE = 'holdfast_session';

/** Seconds that a session lasts: a working day. */
export const SESSION_LIFETIME = 12 * 3_600;

/** Signs somebody of the staff in. @param key what the caller was identified by @returns the session's token. Only its hash is stored. */
export async function openSession(db: Database, caller: Caller, key: string): Promise<string> {
  const { token, hash } = newToken();
  await transaction(db, async (tx) => {
    await tx.delete(operatorSessions).where(lt(operatorSessions.expiresAt, sql`now()`));
    await tx.insert(operatorSessions).values({
      tokenHash: hash,
      secretHash: hashToken(key),
      expiresAt: sql`now() + make_interval(secs => ${SESSION_LIFETIME})`,
    });
    await recordOperatorAction(tx, 'sign_in', caller.keyId, { actor: actorOf(caller), reason: "to the operator's page" });
  });
  return token;
}

/** @returns the session of a token; undefined when it or its key has expired, or its key is revoked or a customer's */
export async function findSession(db: Database, token: string): Promise<Session | undefined> {
  const [found] = await db
    .select({ caller: { keyId: apiKeys.id, role: apiKeys.role }, name: apiKeys.name })
    .from(operatorSessions)
    .innerJoin(apiKeySecrets, eq(apiKeySecrets.hash, operatorSessions.secretHash))
    .innerJoin(apiKeys, eq(apiKeys.id, apiKeySecrets.keyId))
    .where(
      and(
        eq(operatorSessions.tokenHash, hashToken(token)),
        gt(operatorSessions.expiresAt, sql`now()`),
        isInUse,
        inArray(apiKeys.role, ROLES_OF.staff),
      ),
    );
  return found && { token, ...found, csrf: formToken(token) };
}

/** Signs somebody out. The token is then useless, wherever it is still stored. */
export async function closeSession(db: Database, { token, caller }: Session): Promise<void> {
  await transaction(db, async (tx) => {
    await tx.delete(operatorSessions).where(eq(operatorSessions.tokenHash, hashToken(token)));
    await recordOperatorAction(tx, 'sign_out', caller.keyId, { actor: actorOf(caller), reason: "from the operator's page" });
  });
}

/** Derived from the session's token, which no other site knows. A hash, so that the page does not reveal the token. */
const formToken = (token: string): string => createHash('sha256').update(`form:${token}`).digest('base64url');

/** @returns whether a form was sent by a page of this session */
export function isOwnForm(session: Session, token: unknown): boolean {
  if (typeof token !== 'string') return false;
  const given = Buffer.from(token);
  const expected = Buffer.from(session.csrf);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
