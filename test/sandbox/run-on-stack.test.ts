import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSecrets } from '../../src/sandbox/secrets.ts';
import { runCommand } from '../support/command.ts';

let folder: string;
let entry: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-run-'));
  entry = join(folder, 'entry.mjs');
  await writeFile(entry, 'console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env }));');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns the arguments and the environment that the command gets */
async function seen(environment: Record<string, string>): Promise<unknown> {
  const { stdout } = await runCommand('src/sandbox/run-on-stack.ts', [entry, 'failures', 'list'], environment);
  return JSON.parse(stdout);
}

describe('a command run on the stack', () => {
  it('gets the environment of the stack in this data folder, without credentials for another Temporal', async () => {
    const home = join(folder, 'home');
    await mkdir(home);
    const secrets = await loadSecrets(home);
    const found = await seen({ HOLDFAST_HOME: home, POSTGRES_PORT: '15433', TEMPORAL_PORT: '17233', TEMPORAL_API_KEY: 'mine' });
    expect(found).toMatchObject({
      args: ['failures', 'list'],
      env: {
        DATABASE_URL: `postgres://holdfast:${secrets.databasePassword}@127.0.0.1:15433/holdfast`,
        TEMPORAL_ADDRESS: '127.0.0.1:17233',
        TEMPORAL_CONFIG_FILE: join(home, 'temporal.toml'),
        STRIPE_SECRET_KEY: secrets.stripeSecretKey,
        WAREHOUSE_API_KEY: secrets.warehouseApiKey,
      },
    });
    expect(found).not.toHaveProperty('env.TEMPORAL_API_KEY');
  });

  it('keeps its environment if that names a database, or if no stack was started', async () => {
    const given = { HOLDFAST_HOME: join(folder, 'none'), DATABASE_URL: 'postgres://elsewhere/holdfast', TEMPORAL_API_KEY: 'mine' };
    expect(await seen(given)).toMatchObject({ env: given });
    const without = await seen({ HOLDFAST_HOME: join(folder, 'none') });
    expect(without).not.toHaveProperty('env.DATABASE_URL');
  });
});
