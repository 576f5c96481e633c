import { chmod, lstat, mkdtemp, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/sandbox/ports.ts';
import { canReach, unprivilegedUser } from '../../src/sandbox/postgres-binaries.ts';
import { startPostgres } from '../../src/sandbox/postgres.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  const elsewhere = await readlink(join(folder, 'postgres')).catch(() => undefined);
  if (elsewhere !== undefined) await rm(dirname(elsewhere), { recursive: true });
  await rm(folder, { recursive: true });
});

async function start() {
  return startPostgres({
    dataFolder: join(folder, 'postgres'),
    port: await freePort(),
    password: 'with a /, a @ and a space',
    logFile: join(folder, 'postgres.log'),
    settings: { fsync: 'off' },
  });
}

async function query(url: string, text: string) {
  const sql = postgres(url, { max: 1 });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data over a stop and a start', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('goes on with its data after it was killed', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 42 as answer; checkpoint');
    first.kill();
    const second = await start();
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('wants its password', async () => {
    const server = await start();
    const url = new URL(server.url);
    url.password = 'another';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    await server.stop();
  });
});

describe.runIf(process.getuid?.() === 0)('started by root', () => {
  it('runs as another user', async () => {
    expect((await unprivilegedUser(join(folder, 'postgres')))?.uid).toBeGreaterThan(0);
  });

  it('keeps its data elsewhere, behind a link, when that user may not enter the folder', async () => {
    await chmod(folder, 0o700);
    const server = await start();
    expect((await lstat(join(folder, 'postgres'))).isSymbolicLink()).toBe(true);
    await query(server.url, 'create table kept as select 42 as answer');
    await server.stop();
    const again = await start();
    expect(await query(again.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await again.stop();
  });

  it('judges by owner, group and others who may enter', async () => {
    await chmod(folder, 0o700);
    expect(await canReach(folder, { name: 'root', uid: 0, gid: 0 })).toBe(true);
    expect(await canReach(folder, { name: 'other', uid: 12_345, gid: 12_345 })).toBe(false);
    await chmod(folder, 0o710);
    expect(await canReach(folder, { name: 'same group', uid: 12_345, gid: 0 })).toBe(true);
  });
});
