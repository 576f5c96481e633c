import { expect, it } from 'vitest';
import { readActorNames } from '../../src/queries/actor-names.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { newId } from '../../src/records/new-id.ts';
import { useShop } from '../support/shop.ts';

const { db } = await useShop();

it('names the keys among actors, and nobody else', async () => {
  const { id } = await insertApiKey(db, { name: 'Sam', role: 'support' });
  const names = await readActorNames(db, [`key:${id}`, `key:${id}`, 'cli:root', 'holdfast', 'key:nonsense', `key:${newId()}`, null]);
  expect([...names]).toEqual([[`key:${id}`, 'Sam']]);
});

it('names nobody where there is no key', async () => {
  expect(await readActorNames(db, ['cli:root', null])).toEqual(new Map());
});
