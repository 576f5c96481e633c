// `npm run demo`: sends orders and signups through the stack that `npm start` runs. With `--outage`: breaks its warehouse, and
// repairs what has failed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { localUrl } from '../ports.ts';
import { SetupError } from '../project.ts';
import { loadSecrets } from '../secrets.ts';
import { readSettings } from '../settings.ts';
import { borrowFaultPanel } from './faults.ts';
import { outage } from './outage.ts';
import { openShop } from './shop.ts';
import { tour } from './tour.ts';

const NO_STACK = 'The stack does not answer. Start it in another terminal: npm start';
const STORIES: Record<string, typeof tour> = { '': tour, '--outage': outage };

try {
  const story = STORIES[process.argv.slice(2).join(' ')];
  if (!story) throw new SetupError('Usage: npm run demo, or npm run demo -- --outage');
  const { home, ports, real } = readSettings(process.env);
  if (real.warehouseUrl ?? real.smtpUrl) throw new SetupError('The demo needs the warehouse simulator and the inbox: unset WAREHOUSE_URL and SMTP_URL.');
  if (!existsSync(join(home, 'secrets.json'))) throw new SetupError(NO_STACK);
  const { customerKey, supportKey, operatorKey } = await loadSecrets(home);
  const warehouseUrl = localUrl(ports.warehouse);
  const shop = openShop({ apiUrl: localUrl(ports.api), inboxUrl: localUrl(ports.inbox), warehouseUrl, customerKey, supportKey, operatorKey });
  process.exitCode = (await borrowFaultPanel(warehouseUrl, (setFault) => story(shop, setFault))) ? 0 : 1;
} catch (error) {
  // `fetch` has no class of its own for it.
  const isAway = error instanceof TypeError && error.message === 'fetch failed';
  console.error(`demo: ${isAway ? NO_STACK : error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
