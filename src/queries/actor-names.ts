import { inArray } from 'drizzle-orm';
import { actorOf } from '../contracts/caller.ts';
import { id as idField } from '../contracts/fields.ts';
import type { Database } from '../db/client.ts';
import { apiKeys } from '../db/schema.ts';

/** What the keys of actors are called: to people, `key:<id>` says nothing. */
export type ActorNames = ReadonlyMap<string, string>;

const KEY = 'key:';

/** @returns the names of those actors that are keys */
export async function readActorNames(db: Pick<Database, 'select'>, actors: readonly (string | null)[]): Promise<ActorNames> {
  const ids = new Set(actors.flatMap(keyOf));
  if (ids.size === 0) return new Map();
  const keys = await db.select({ keyId: apiKeys.id, name: apiKeys.name }).from(apiKeys).where(inArray(apiKeys.id, [...ids]));
  return new Map(keys.map(({ keyId, name }) => [actorOf({ keyId }), name]));
}

/** @returns what an actor is called: the name of their key, or what they called themselves on the command line */
export const nameOf = (actor: string, names: ActorNames): string => names.get(actor) ?? actor;

/** @returns the id of the key of an actor; none if it is no key */
function keyOf(actor: string | null): string[] {
  const { data } = idField.safeParse(actor?.startsWith(KEY) ? actor.slice(KEY.length) : undefined);
  return data === undefined ? [] : [data];
}
