// `npm run test:soak -- --minutes 10 --rate 2`: steady orders, and whether the processes need more and more for them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../../src/sandbox/project.ts';
import { SOAK_VARIABLE, soakOptions } from './options.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '2' } },
});
const options = soakOptions.parse({ minutes: Number(values.minutes), rate: Number(values.rate) });
const vitest = spawn(
  join(projectRoot, 'node_modules', '.bin', 'vitest'),
  ['run', '--project', 'soak', '--disable-console-intercept'],
  { cwd: projectRoot, stdio: 'inherit', env: { ...process.env, [SOAK_VARIABLE]: JSON.stringify(options) } },
);
vitest.once('exit', (code) => process.exit(code ?? 1));
