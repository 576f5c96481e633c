import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { claimHome } from '../../src/sandbox/home.ts';
import type { StackContext } from '../../src/sandbox/parts.ts';
import { prepareDatabase } from '../../src/sandbox/prepare.ts';
import { SetupError } from '../../src/sandbox/project.ts';
import { loadSecrets } from '../../src/sandbox/secrets.ts';
import { readSettings } from '../../src/sandbox/settings.ts';
import { Shutdown } from '../../src/sandbox/shutdown.ts';

/**
 * Runs a peer until SIGTERM, from the same variables as `npm start`. Its database has the tables, catalogue and keys of
 * Holdfast. Prints a line once it is up, for which `startSide` waits.
 * @param start starts the services and programs of the peer
 */
export async function runPeer(name: string, start: (context: StackContext, databaseUrl: string) => Promise<void>): Promise<void> {
  const shutdown = new Shutdown();
  const stop = async (code: number) => {
    await shutdown.stopAll();
    process.exit(code);
  };
  process.once('SIGTERM', () => void stop(0));
  process.on('exit', () => shutdown.killAll());
  try {
    const settings = readSettings(process.env);
    const { databaseUrl } = settings.real;
    if (databaseUrl === undefined) throw new SetupError('DATABASE_URL must be set.');
    const claim = await claimHome(settings.home);
    shutdown.add('home', { stop: () => claim.release() });
    await mkdir(join(settings.home, 'logs'), { recursive: true });
    const secrets = await loadSecrets(settings.home);
    await prepareDatabase(databaseUrl, secrets);
    await start({ settings, secrets, shutdown, supervision: { claim }, tell: (line) => console.log(line) }, databaseUrl);
    console.log(`${name} is up after ${process.uptime().toFixed(1)} s.`);
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    await stop(1);
  }
}
