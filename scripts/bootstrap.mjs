// Runs a TypeScript entry point of this project on a machine that may have nothing but Node and npm:
//
//   node scripts/bootstrap.mjs src/sandbox/main.ts [arguments]
//
// Plain JavaScript and no imports from node_modules, because it runs before there are any. The entry point is loaded
// into this very process, so signals, exit codes and the terminal need no passing on.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const needed = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  fail(
    `Holdfast needs Node.js ${needed.join('.')} or newer; this is ${process.versions.node} (${process.execPath}). Get it from https://nodejs.org.`,
  );
}

const [entry, ...rest] = process.argv.slice(2);
if (!entry) fail('usage: node scripts/bootstrap.mjs <entry.ts> [arguments]');

if (!isInstalled()) install();

const { register } = await import('tsx/esm/api');
register();
const file = resolve(root, entry);
process.argv = [process.execPath, file, ...rest];
await import(pathToFileURL(file).href);

// npm keeps a copy of what it installed in node_modules/.package-lock.json. Optional packages of other platforms are
// rightly absent from it.
function isInstalled() {
  const installedLock = resolve(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const wanted = packagesOf(resolve(root, 'package-lock.json'));
  const installed = packagesOf(installedLock);
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (path === '' || link) return true;
    const found = installed[path];
    return found ? found.version === version : optional === true;
  });
}

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

function install() {
  console.log('Installing packages (npm ci) …');
  const started = Date.now();
  // Under `npm start` this is the npm that started us; its path saves looking for another one.
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { status, error } = spawnSync(command, [...args, 'ci', '--include=dev', '--no-progress', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0)
    fail(`Packages could not be installed${error ? ` (${error.message})` : ''}. Run "npm ci" in ${root} to see why.`);
  console.log(`Packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function fail(line) {
  console.error(line);
  process.exit(1);
}
