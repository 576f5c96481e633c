import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSecrets } from '../../src/sandbox/secrets.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
});
afterEach(() => rm(home, { recursive: true }));

it('generates secrets once and keeps them', async () => {
  const first = await loadSecrets(home);
  expect(await loadSecrets(home)).toEqual(first);
  expect(new Set(Object.values(first)).size).toBe(Object.keys(first).length);
});

it('lets only the owner read the file', async () => {
  await loadSecrets(home);
  expect((await stat(join(home, 'secrets.json'))).mode & 0o777).toBe(0o600);
});

it('adds the secrets that a newer version needs and keeps the rest', async () => {
  const databasePassword = 'made by an older version';
  await writeFile(join(home, 'secrets.json'), JSON.stringify({ databasePassword }));
  const secrets = await loadSecrets(home);
  expect(secrets.databasePassword).toBe(databasePassword);
  expect(await loadSecrets(home)).toEqual(secrets);
});

it('rejects a damaged file instead of replacing the database password', async () => {
  await writeFile(join(home, 'secrets.json'), '{"databasePassw');
  await expect(loadSecrets(home)).rejects.toThrow(/damaged/);
});
