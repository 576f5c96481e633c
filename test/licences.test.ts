import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readPackages, renderLicences } from '../scripts/licences.ts';

/** Licences that ask for no more than to be named. */
const PERMISSIVE = /^(MIT|MIT-0|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|Unlicense|CC-BY-4\.0|OFL-1\.1)$/;

describe('the licences of the dependencies', () => {
  it('are listed', async () => {
    const listed = await readFile(new URL('../docs/licences.md', import.meta.url), 'utf8');
    expect(listed, 'Run `npm run licences`.').toBe(renderLicences(await readPackages()));
  });

  it('allow to use them in a closed shop', async () => {
    const refused = (await readPackages()).filter(({ licence }) => {
      const terms = licence.replaceAll(/[()]/g, '').split(/ AND | OR /);
      return licence.includes(' OR ') ? !terms.some((term) => PERMISSIVE.test(term)) : !terms.every((term) => PERMISSIVE.test(term));
    });
    expect(refused).toEqual([]);
  });
});
