import { expect, it } from 'vitest';
import { KeyRing } from '../../src/api/key-ring.ts';
import { listApiKeys } from '../../src/queries/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { useDatabase } from '../support/database.ts';

const db = await useDatabase();

const lastUseOf = async (id: string) => (await listApiKeys(db)).find((key) => key.id === id)?.secrets[0]?.lastUsedAt;

it('records when keys were last used, also if two processes do so at once', async () => {
  const keys = await Promise.all([1, 2, 3].map((n) => insertApiKey(db, { name: `shop ${n}`, role: 'customer' })));
  const { id: unusedId } = await insertApiKey(db, { name: 'unused', role: 'customer' });
  const rings = [new KeyRing(db), new KeyRing(db)];
  const started = new Date();
  for (const ring of rings) await Promise.all(keys.map(({ key }) => ring.identify(key)));
  await Promise.all(rings.map((ring) => ring.close()));
  for (const { id } of keys) expect(await lastUseOf(id)).toBeInstanceOf(Date);
  expect((await lastUseOf(keys[0]?.id ?? ''))?.getTime()).toBeGreaterThanOrEqual(started.getTime());
  expect(await lastUseOf(unusedId)).toBeNull();
});

it('tells right keys from wrong ones that come at the same time', async () => {
  const { id, key } = await insertApiKey(db, { name: 'shop', role: 'customer' });
  const ring = new KeyRing(db);
  const guesses = Array.from({ length: 200 }, (_, n) => ring.identify(`hf_guess_${n}`));
  expect(await ring.identify(key)).toEqual({ keyId: id, role: 'customer' });
  expect(new Set(await Promise.all(guesses))).toEqual(new Set([undefined]));
  await ring.close();
});
