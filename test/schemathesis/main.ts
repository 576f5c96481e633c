// `npm run test:schemathesis -- --examples 50`: Schemathesis (https://schemathesis.io) sends generated requests to a stack of its
// own, as each role, and compares what comes back with the OpenAPI document. See docs/extending.md.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ROLES } from '../../src/contracts/statuses.ts';
import { createBootLog } from '../../src/sandbox/boot-log.ts';
import { localUrl } from '../../src/sandbox/ports.ts';
import { readSettings } from '../../src/sandbox/settings.ts';
import { startStack } from '../../src/sandbox/stack.ts';
import { freePortVariables } from '../support/stack-ports.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { installSchemathesis, runSchemathesis } from './program.ts';
import { fillShop } from './shop.ts';

const { values } = parseArgs({
  options: {
    examples: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    role: { type: 'string', multiple: true, default: [...ROLES] },
  },
});
const options = z.object({ examples: z.coerce.number().int().positive(), seed: z.coerce.number().int(), role: z.array(z.enum(ROLES)) });
const { examples, seed, role: roles } = options.parse(values);

const packages = await installSchemathesis();
const folder = await createTemporaryFolder();
// Nothing else of the environment: it may name a real database.
const variables = { PATH: process.env['PATH'], HOLDFAST_HOME: folder.path, RATE_LIMIT: 'off', ...(await freePortVariables()) };
const settings = readSettings(variables);
const log = createBootLog(process.stdout);
const stack = startStack(settings, variables, log);
process.once('exit', () => stack.kill());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const secrets = await stack.up;
const { customerKey, supportKey, operatorKey } = secrets;
const apiUrl = localUrl(settings.ports.api);
await log.step('Orders and signups', () =>
  fillShop({
    apiUrl,
    inboxUrl: localUrl(settings.ports.inbox),
    warehouseUrl: localUrl(settings.ports.warehouse),
    customerKey,
    supportKey,
    operatorKey,
  }),
);

const keys = { customer: customerKey, support: supportKey, operator: operatorKey };
// At the same time: a run mostly waits for answers.
const runs = await Promise.all(
  roles.map(async (role) => {
    const tell = (line: string) => log.line(`${role} │ ${line}`);
    return { role, passed: await runSchemathesis({ packages, url: apiUrl, key: keys[role], examples, seed, tell }) };
  }),
);
await stack.stop();
const failed = runs.filter(({ passed }) => !passed).map(({ role }) => role);
if (failed.length === 0) await folder.remove();
else console.log(`Failed as ${failed.join(', ')}. The logs of the stack are in ${folder.path}/logs.`);
process.exit(failed.length === 0 ? 0 : 1);
