import { and, desc, eq, getTableColumns, gte, ilike, inArray, lt, notInArray, or, sql, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { AUDITED_ACTIONS, SIGN_IN_ACTIONS } from '../contracts/audit.ts';
import { instant, line } from '../contracts/fields.ts';
import type { Database } from '../db/client.ts';
import { apiKeys, operatorActions } from '../db/schema.ts';
import { countRows } from './counting.ts';

/** An entry of the audit. */
export type OperatorAction = typeof operatorActions.$inferSelect;

/** An entry for people. */
export interface NamedAction extends OperatorAction {
  /** What the key of the actor is called; null for one without a key. */
  actorName: string | null;
  /** What the key that was acted on is called; null if it was no key. */
  targetName: string | null;
}

/** Selects entries of the audit. Without an action, sign-ins are left out unless they are asked for. */
export const auditSearchSchema = z.strictObject({
  person: line(200).optional(),
  action: z.enum(AUDITED_ACTIONS).optional(),
  target: line(200).optional(),
  from: instant.optional(),
  to: instant.optional(),
  signIns: z.literal('shown').optional(),
});
export type AuditSearch = z.infer<typeof auditSearchSchema>;

interface Page {
  limit: number;
  /** The id of the last action of the previous page. */
  cursor?: number | undefined;
}

const before = (cursor: number | undefined): SQL | undefined => (cursor === undefined ? undefined : lt(operatorActions.id, cursor));

/** @returns what operators did, newest first; one more than `limit` when there is a next page */
export async function listActions(db: Database, page: Page): Promise<OperatorAction[]> {
  return await db
    .select()
    .from(operatorActions)
    .where(before(page.cursor))
    .orderBy(desc(operatorActions.id))
    .limit(page.limit + 1);
}

const nameOf = (id: SQL) => sql<string | null>`(select ${apiKeys.name} from ${apiKeys} where ${apiKeys.id}::text = ${id})`;

/** @returns what matches a search, with the names of keys; newest first, one more than `limit` when there is a next page */
export async function searchActions(db: Database, search: AuditSearch, page: Page): Promise<NamedAction[]> {
  const { actor, target } = operatorActions;
  return await db
    .select({
      ...getTableColumns(operatorActions),
      actorName: nameOf(sql`substr(${actor}, 5)`),
      targetName: nameOf(sql`${target}`),
    })
    .from(operatorActions)
    .where(and(auditCondition(db, search), before(page.cursor)))
    .orderBy(desc(operatorActions.id))
    .limit(page.limit + 1);
}

/** @returns how many actions match; more than `most` if there are more */
export const countActions = async (db: Database, search: AuditSearch, most: number): Promise<number> =>
  await countRows(db, db.select({ id: operatorActions.id }).from(operatorActions).where(auditCondition(db, search)).limit(most + 1));

function auditCondition(db: Database, { person, action, target, from, to, signIns }: AuditSearch): SQL | undefined {
  const showsSignIns = signIns === 'shown' || action !== undefined;
  return and(
    person === undefined ? undefined : isBy(db, person),
    action && eq(operatorActions.action, action),
    target === undefined ? undefined : ilike(operatorActions.target, containing(target)),
    from === undefined ? undefined : gte(operatorActions.at, new Date(from)),
    to === undefined ? undefined : lt(operatorActions.at, new Date(to)),
    showsSignIns ? undefined : notInArray(operatorActions.action, [...SIGN_IN_ACTIONS]),
  );
}

/** By the name of a key, or by what stands in the audit, such as `cli:ada`. */
const isBy = (db: Database, person: string): SQL | undefined => {
  const keys = db
    .select({ actor: sql<string>`'key:' || ${apiKeys.id}` })
    .from(apiKeys)
    .where(ilike(apiKeys.name, containing(person)));
  return or(ilike(operatorActions.actor, containing(person)), inArray(operatorActions.actor, keys));
};

const containing = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
