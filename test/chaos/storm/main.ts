// `npm run test:chaos -- --orders 60 --seed 7`: one storm, and what must be true after it. Without a seed, takes a new one
// and prints it. `--nightly`: 1,000 orders.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../../src/sandbox/project.ts';
import { STORM_VARIABLE, stormOptions } from './options.ts';

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    nightly: { type: 'boolean', default: false },
  },
});
const options = stormOptions.parse({
  orders: values.nightly ? 1_000 : Number(values.orders),
  seed: Number(values.seed),
});
const vitest = spawn(
  join(projectRoot, 'node_modules', '.bin', 'vitest'),
  ['run', '--project', 'storm', '--disable-console-intercept'],
  { cwd: projectRoot, stdio: 'inherit', env: { ...process.env, [STORM_VARIABLE]: JSON.stringify(options) } },
);
vitest.once('exit', (code) => process.exit(code ?? 1));
