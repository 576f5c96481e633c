import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporalBinary, temporalCli, temporalTestServer } from '../../src/sandbox/temporal-binaries.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-binaries-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function program(name: string) {
  const path = join(folder, name);
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  return path;
}

it('prefers the program that its variable names', async () => {
  const [named] = await Promise.all([program('mine'), program('temporal')]);
  const environment = { TEMPORAL_CLI_PATH: named, PATH: folder };
  expect(await temporalBinary(temporalCli, { environment, cache: folder })).toBe(named);
});

it('rejects a variable that names no executable program', async () => {
  const environment = { TEMPORAL_TEST_SERVER_PATH: join(folder, 'nothing') };
  await expect(temporalBinary(temporalTestServer, { environment, cache: folder })).rejects.toThrow(
    /^TEMPORAL_TEST_SERVER_PATH names .* not an executable program/,
  );
});

it('prefers the PATH to the cache', async () => {
  const [onPath] = await Promise.all([program('temporal'), program('temporal-1.9.1')]);
  expect(await temporalBinary(temporalCli, { environment: { PATH: folder }, cache: folder })).toBe(onPath);
});

it('prefers the cache to a download', async () => {
  const cached = await program('temporal-test-server-1.40.0');
  const downloads: string[] = [];
  const onDownload = () => void downloads.push('started');
  expect(await temporalBinary(temporalTestServer, { environment: {}, cache: folder, onDownload })).toBe(cached);
  expect(downloads).toEqual([]);
});
