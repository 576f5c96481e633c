// `npm run licences`: writes docs/licences.md, the licences of the packages that production installs.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const LIST = fileURLToPath(new URL('../docs/licences.md', import.meta.url));

/** Packages whose package.json names no licence. Their licence file does. */
const FROM_FILE: Record<string, string> = { 'png-js': 'MIT', 'unionfs': 'Unlicense' };

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), license: z.string().optional(), dev: z.boolean().default(false) }),
  ),
});

export interface Package {
  name: string;
  version: string;
  licence: string;
}

/** @returns the packages that production installs, by name @throws Error for one without a licence */
export async function readPackages(): Promise<Package[]> {
  const { packages } = lockFile.parse(JSON.parse(await readFile(new URL('../package-lock.json', import.meta.url), 'utf8')));
  const listed = new Map<string, Package>();
  for (const [path, { version = '', license, dev }] of Object.entries(packages)) {
    const name = path.split('node_modules/').at(-1) ?? '';
    if (path === '' || dev) continue;
    const licence = license ?? FROM_FILE[name];
    if (licence === undefined) throw new Error(`${name} names no licence. Look at its licence file.`);
    listed.set(`${name} ${version}`, { name, version, licence });
  }
  return [...listed.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** @returns the document that lists the licences of some packages */
export const renderLicences = (packages: Package[]): string => `# Licences

The packages that production installs, from \`package-lock.json\`. \`npm run licences\` writes this file.

| package | version | licence |
|---|---|---|
${packages.map(({ name, version, licence }) => `| \`${name}\` | ${version} | ${licence} |`).join('\n')}
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(LIST, renderLicences(await readPackages()));
