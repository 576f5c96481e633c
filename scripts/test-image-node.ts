// `npm run test:image-node`: runs the end-to-end tests with the Node.js that the Dockerfile names, which may be newer than the one here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

const dockerfile = await readFile(new URL('../Dockerfile', import.meta.url), 'utf8');
const version = /^FROM node:([\d.]+)/m.exec(dockerfile)?.[1];
if (version === undefined) throw new Error('The Dockerfile names no version of Node.js.');

const tests = ['test/e2e/order.test.ts', 'test/temporal'];
console.log(`Node.js ${version}: ${tests.join(' ')}`);
const command = ['exec', '--yes', `--package=node@${version}`, '--', 'node', 'node_modules/vitest/vitest.mjs', 'run', ...tests];
const [code] = await once(spawn('npm', command, { stdio: 'inherit' }), 'exit');
process.exitCode = code === 0 ? 0 : 1;
