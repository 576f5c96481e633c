import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { welcome } from '../../src/sandbox/welcome.ts';
import { loadSecrets } from '../../src/sandbox/secrets.ts';
import { readSettings } from '../../src/sandbox/settings.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { startTestApi, type TestApi } from './support/api.ts';

const ROOT = new URL('../../', import.meta.url);
const folder = await createTemporaryFolder();
const secrets = await loadSecrets(folder.path);

/** Every document, and what `npm start` prints. */
async function readTexts(): Promise<[string, string][]> {
  const docs = (await readdir(new URL('docs/', ROOT))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  const files = ['README.md', 'bench/README.md', ...docs];
  const texts = await Promise.all(files.map(async (file): Promise<[string, string]> => [file, await readFile(new URL(file, ROOT), 'utf8')]));
  return [...texts, ['npm start', welcome(readSettings({}), secrets, 1_000)]];
}

/** A `curl` command, up to the first line that does not end in the middle of it. */
const COMMAND = /^ *(curl (?:[^'\n\\]|\\\n|'[^']*')+)$/gm;

const commands = (await readTexts()).flatMap(([where, text]) =>
  [...text.matchAll(COMMAND)].map(([, command = '']): [string, string] => [where, command]),
);

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
  await folder.remove();
});

describe('the documentation', () => {
  it('shows how to place an order, in the README and when the stack has started', () => {
    expect(commands.map(([where]) => where)).toEqual(expect.arrayContaining(['README.md', 'npm start']));
  });

  it.each(commands)('has a curl command in %s that works', async (_where, command) => {
    const line = command
      .replaceAll(/http:\/\/(?:127\.0\.0\.1|localhost):3000/g, api.url)
      .replaceAll(/<the customer key[^>]*>/g, api.keys.customer.key)
      .replaceAll(secrets.customerKey, api.keys.customer.key);
    const { stdout } = await promisify(execFile)('bash', ['-c', line]);
    expect(stdout.split('\n')[0]).toMatch(/^HTTP\/1\.1 2\d\d/);
  });
});
