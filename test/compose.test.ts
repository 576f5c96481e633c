import { readFile } from 'node:fs/promises';
import { parse as parseDuration } from '@lukeed/ms';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readSettings } from '../scripts/configuration.ts';
import { ConfigError, loadApiConfig, loadWorkerConfig } from '../src/config.ts';
import { STATUS_SEARCH_ATTRIBUTE } from '../src/contracts/names.ts';
import { API_FLAGS, WORKER_FLAGS } from '../src/sandbox/parts.ts';

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z
    .record(z.string(), z.object({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }))
    .default({}),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  stop_grace_period: z.string().optional(),
});
const composeFile = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.unknown()),
});

const text = await readFile(new URL('../docker-compose.yml', import.meta.url), 'utf8');
const example = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
/** Its `ENV` lines set what depends on its files. */
const dockerfile = await readFile(new URL('../Dockerfile', import.meta.url), 'utf8');
const compose = composeFile.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
/** Every `${NAME…}` in the file. `$$NAME` is left out: a shell in a container reads it. */
const variables = [...text.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)].map(([, name = '', rest = '']) => ({ name, rest }));

describe('docker-compose.yml', () => {
  it.each(services)('pins the version and the content of the image of %s', (_, { image }) => {
    expect(image).toMatch(/^(holdfast:\$\{HOLDFAST_VERSION:-latest\}|[\w./-]+:\d+(\.\d+)+(-\w+)?@sha256:[0-9a-f]{64})$/);
  });

  it('refuses to start without a secret, and has no default for one', () => {
    const secrets = variables.filter(({ name }) => /PASSWORD|SECRET|KEY/.test(name));
    expect(secrets.length).toBeGreaterThan(5);
    // The receiver of alerts is optional, so its secret may be empty.
    for (const { name, rest } of secrets) {
      expect(rest).toBe(name === 'ALERT_WEBHOOK_SECRET' ? ':-' : ':?set it in .env');
    }
  });

  it('reads only variables that .env.example names', () => {
    const named = new Set([...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name));
    expect(variables.filter(({ name }) => !named.has(name))).toEqual([]);
  });

  it.each([
    ['api', loadApiConfig],
    ['worker', loadWorkerConfig],
  ])('gives %s every variable that it requires', (name, load) => {
    const given = Object.keys(compose.services[name]?.environment ?? {});
    expect(given).toEqual(expect.arrayContaining(requiredBy(load)));
  });

  it.each([
    ['api', ['All processes', 'API and worker', 'API']],
    ['worker', ['All processes', 'API and worker', 'Worker']],
  ])('gives %s every setting that it reads', (name, readers) => {
    const given = Object.keys(compose.services[name]?.environment ?? {});
    const read = readSettings().filter((setting) => readers.includes(setting.reader) && !dockerfile.includes(`${setting.name}=`));
    expect(read.length).toBeGreaterThan(15);
    expect(given).toEqual(expect.arrayContaining(read.map((setting) => setting.name)));
  });

  it.each(['api', 'worker'])('leaves the defaults of %s to the code', (name) => {
    const optional = Object.values(compose.services[name]?.environment ?? {}).filter((value) => value.includes(':-'));
    expect(optional.length).toBeGreaterThan(5);
    for (const value of optional) expect(value).toMatch(/^\$\{[A-Z_]+:-\}$/);
  });

  it.each(services)('lets %s depend only on services that report their health or that complete', (_, { depends_on }) => {
    const impossible = Object.entries(depends_on).filter(([name, { condition }]) => {
      const other = compose.services[name];
      return condition === 'service_healthy' ? !other?.healthcheck : !other?.restart.startsWith('on-failure');
    });
    expect(impossible).toEqual([]);
  });

  it('publishes on loopback only', () => {
    for (const port of services.flatMap(([, { ports }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(services)('puts %s on networks that exist', (_, { networks }) => {
    expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(networks));
  });

  it('registers the search attribute that the code uses', () => {
    const { name } = STATUS_SEARCH_ATTRIBUTE;
    expect(compose.services['temporal-namespace']?.command?.join()).toContain(`--name ${name} --type Keyword`);
  });

  it('starts the API and the workers with the flags of npm start', () => {
    expect(compose.services['api']?.command).toEqual(expect.arrayContaining(API_FLAGS));
    const compiled = WORKER_FLAGS.map((flag) => flag.replace('./src/', './dist/'));
    expect(compose.services['worker']?.command).toEqual(expect.arrayContaining(compiled));
  });

  it('gives a worker more time to stop than it gives its activities', () => {
    const worker = compose.services['worker'];
    const grace = parseDuration(worker?.environment['SHUTDOWN_GRACE'] ?? '') ?? Infinity;
    expect(parseDuration(worker?.stop_grace_period ?? '')).toBeGreaterThan(grace);
  });
});

/** @returns the variables without which a configuration does not load */
function requiredBy(load: (environment: NodeJS.ProcessEnv) => unknown): string[] {
  try {
    load({ NODE_ENV: 'production' });
  } catch (error) {
    if (error instanceof ConfigError) return [...error.message.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
    throw error;
  }
  throw new Error('It requires no variable.');
}

describe('the Dockerfile', () => {
  it('pins the version and the content of its base, the same one for each stage', async () => {
    const bases = new Set([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base));
    expect([...bases]).toEqual([expect.stringMatching(/^node:\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$/)]);
  });
});

describe('where alerts go', () => {
  const load = (environment: Record<string, string>) => () => {
    const required = Object.fromEntries(requiredBy(loadWorkerConfig).map((name) => [name, EXAMPLES[name] ?? 'x']));
    return loadWorkerConfig({ ...required, ...environment });
  };
  const EXAMPLES: Record<string, string> = {
    DATABASE_URL: 'postgres://localhost/x',
    SMTP_URL: 'smtp://localhost',
    WAREHOUSE_URL: 'http://localhost',
    PAYLOAD_KEYS: 'none',
  };
  const SECRET = { ALERT_WEBHOOK_SECRET: 'whsec_b25seSBmb3IgdGVzdHM=' };

  it('is refused in production unless it is secure, and without a secret to sign with', () => {
    const insecure = { NODE_ENV: 'production', ALERT_WEBHOOK_URL: 'http://pager.example/', ALERT_SLACK_URL: 'http://chat.example/' };
    expect(load({ ...insecure, ...SECRET })).toThrow(/ALERT_WEBHOOK_URL: must be https in production\n +ALERT_SLACK_URL: must be https in production/);
    expect(load({ ...insecure, ...SECRET, NODE_ENV: 'test' })).not.toThrow();
    expect(load({ ALERT_WEBHOOK_URL: 'https://pager.example/' })).toThrow(/ALERT_WEBHOOK_SECRET: is required/);
    expect(load({ ALERT_SLACK_URL: 'ftp://chat.example/' })).toThrow(ConfigError);
  });

  it.each(['ALERT_WEBHOOK_URL', 'ALERT_SLACK_URL'])('is refused with a user or a password in %s, and the message does not repeat it', (name) => {
    for (const user of ['me', 'me:hidden', ':hidden']) {
      const given = load({ ...SECRET, [name]: `https://${user}@chat.example/` });
      expect(given).toThrow(`  ${name}: must not have a user or a password`);
      expect(given).not.toThrow(/hidden|chat\.example/);
    }
  });
});
