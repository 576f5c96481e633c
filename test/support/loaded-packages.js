import { createRequire } from 'node:module';

// Loaded into a process by Node's flag `--import`: it prints the packages that were loaded, when the process ends.
const { cache } = createRequire(import.meta.url);
process.on('exit', () => {
  const packages = Object.keys(cache).flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  console.log(`loaded packages: ${[...new Set(packages)].join(' ')}`);
});
