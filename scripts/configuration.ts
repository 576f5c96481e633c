// `npm run configuration`: writes docs/configuration.md, what the processes read from their environment.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { SETTINGS } from '../src/config.ts';

const DOCUMENT = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));

export type Reader = keyof typeof SETTINGS;

/** A variable of the environment. */
export interface Setting {
  reader: Reader;
  name: string;
  meaning: string;
  /** Whether a process in production does not start without it. */
  isRequired: boolean;
  /** What counts when it is missing. Empty: nothing. */
  preset: string;
}

const shape = z.object({
  properties: z.record(z.string(), z.object({ description: z.string(), default: z.union([z.string(), z.number()]).default('') })),
  required: z.array(z.string()).default([]),
});

/** @throws Error for a setting without a description */
function settingsOf(reader: Reader): Setting[] {
  const { properties, required } = shape.parse(z.toJSONSchema(SETTINGS[reader], { io: 'input' }));
  return Object.entries(properties).map(([name, { description, default: preset }]) => ({
    reader,
    name,
    meaning: description,
    isRequired: required.includes(name),
    preset: String(preset),
  }));
}

const READERS: Reader[] = ['All processes', 'API and worker', 'API', 'Worker'];

/** @returns every setting */
export const readSettings = (): Setting[] => READERS.flatMap(settingsOf);

const row = ({ name, meaning, isRequired, preset }: Setting): string =>
  `| \`${name}\` | ${isRequired ? '*required*' : preset && `\`${preset}\``} | ${meaning} |`;

const section = (reader: Reader, settings: Setting[]): string => `## ${reader}

| variable | default | meaning |
|---|---|---|
${settings.filter((setting) => setting.reader === reader).map(row).join('\n')}
`;

/** @returns the document that lists them */
export const renderSettings = (settings: Setting[]): string => `# Configuration

Every process reads its settings from the environment, and does not start if one is missing or wrong. An empty variable counts as
missing. Durations are written like \`90s\`, \`48h\` or \`14 days\`. \`npm run configuration\` writes this file from
[\`src/config.ts\`](../src/config.ts).

\`docker-compose.yml\` takes these settings from \`.env\`, see [\`.env.example\`](../.env.example); it sets itself what depends on its
containers. \`npm start\` needs none of them. Durations and thresholds of orders and signups apply to those that start from then on.

Where Temporal is, and how to sign in there, is said by [its own variables](https://docs.temporal.io/develop/environment-configuration):
\`TEMPORAL_ADDRESS\`, \`TEMPORAL_API_KEY\`, \`TEMPORAL_TLS_…\`.

${READERS.map((reader) => section(reader, settings)).join('\n')}`;

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(DOCUMENT, renderSettings(readSettings()));
