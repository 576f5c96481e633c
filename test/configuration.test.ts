import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readSettings, renderSettings } from '../scripts/configuration.ts';

const read = (file: string) => readFile(new URL(`../${file}`, import.meta.url), 'utf8');

it('documents every setting', async () => {
  expect(await read('docs/configuration.md'), 'Run `npm run configuration`.').toBe(renderSettings(readSettings()));
});

it('shows the default of the code in .env.example', async () => {
  const shown = [...(await read('.env.example')).matchAll(/^#([A-Z_]+)=(.+)$/gm)].map(([, name = '', value]) => ({ name, value }));
  const presets = new Map(readSettings().map(({ reader, name, preset }) => [name === 'DATABASE_POOL' ? `${reader}_${name}`.toUpperCase() : name, preset]));
  const known = shown.filter(({ name }) => presets.has(name));
  expect(known.length).toBeGreaterThan(20);
  expect(known).toEqual(known.map(({ name }) => ({ name, value: presets.get(name) })));
});
