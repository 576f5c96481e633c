// `npm run openapi`: writes the OpenAPI document that the API serves, and the types that the client of the tests is made of.
// The API needs neither Postgres nor Temporal for that.
import { writeFile } from 'node:fs/promises';
import openapiTS from 'openapi-typescript';
import { startApi } from '../src/api/service.ts';
import { loadApiConfig } from '../src/config.ts';
import { createLogger } from '../src/log.ts';

/** Patterns hold characters that show nothing, or that turn the direction of writing. In a file, a reader should see them. */
const escapeInvisible = (json: string): string =>
  json.replaceAll(/[\u2028-\u202e\u2066-\u2069]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);

const write = (file: string, text: string) => writeFile(new URL(`../${file}`, import.meta.url), text);

const config = loadApiConfig({
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  API_PORT: '0',
  WAREHOUSE_WEBHOOK_SECRET: `whsec_${Buffer.from('for nobody').toString('base64')}`,
  STRIPE_WEBHOOK_SECRET: 'whsec_for_nobody',
});
const api = await startApi(config, createLogger('api', 'silent'));
const response = await fetch(`${api.url}/openapi.json`);
const text = `${escapeInvisible(JSON.stringify(await response.json(), null, 2))}\n`;
await api.close();

await write('docs/openapi.json', text);
await write('test/api/support/client-types.ts', await openapiTS(JSON.parse(text)));
