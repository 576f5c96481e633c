import { localUrl } from '../../src/sandbox/ports.ts';
import { readSettings } from '../../src/sandbox/settings.ts';
import { startStack } from '../../src/sandbox/stack.ts';
import { freePortVariables } from './stack-ports.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

export type EmbeddedStack = Awaited<ReturnType<typeof startEmbeddedStack>>;

/**
 * Starts what `npm start` runs, with ports and a data folder of its own.
 * @param changes variables that differ from their defaults
 */
export async function startEmbeddedStack(changes: Record<string, string> = {}) {
  const folder = await createTemporaryFolder();
  const environment: Record<string, string> = { HOLDFAST_HOME: folder.path, ...(await freePortVariables()), ...changes };
  const settings = readSettings(environment);
  const stack = startStack(settings, { PATH: process.env['PATH'], ...environment }, { line: () => {}, step: (_name, work) => work() });
  process.once('exit', stack.kill);
  const { ports } = settings;
  const secrets = await stack.up;
  return {
    /** Leads a command of the project to this stack. */
    environment,
    secrets,
    url: localUrl(ports.api),
    inboxUrl: localUrl(ports.inbox),
    warehouseUrl: localUrl(ports.warehouse),
    temporalUiUrl: localUrl(ports.temporalUi),

    async close(): Promise<void> {
      await stack.stop();
      process.removeListener('exit', stack.kill);
      await folder.remove();
    },
  };
}
