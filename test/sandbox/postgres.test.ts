import { once } from 'node:events';
import { chmod, lstat, mkdtemp, readlink, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../src/sandbox/ports.ts';
import { canReach, unprivilegedUser } from '../../src/sandbox/postgres-binaries.ts';
import { ensureDatabase, startPostgres } from '../../src/sandbox/postgres.ts';

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

const storeAnswer = (url: string) => query(url, 'create table kept as select 42 as answer; checkpoint');

/** Starts the server again and stops it. @returns what it has kept */
async function keptAnswer() {
  const server = await start();
  const kept = await query(server.url, 'select answer from kept');
  await server.stop();
  return kept;
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
  it('keeps its data across a restart', async () => {
    const first = await start();
    await storeAnswer(first.url);
    await first.stop();
    expect(await keptAnswer()).toEqual([{ answer: 42 }]);
  });

  it('keeps its data when killed', async () => {
    const first = await start();
    await storeAnswer(first.url);
    first.kill();
    await vi.waitFor(() => expect(() => process.kill(first.pid, 0)).toThrow('ESRCH'), 10_000);
    expect(await keptAnswer()).toEqual([{ answer: 42 }]);
  });

  it('rejects a wrong password', async () => {
    const server = await start();
    const url = new URL(server.url);
    url.password = 'another';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    await server.stop();
  });
});

describe.runIf(process.getuid?.() === 0)('the embedded PostgreSQL, started by root', () => {
  it('runs as another user', async () => {
    expect((await unprivilegedUser(join(folder, 'postgres')))?.uid).toBeGreaterThan(0);
  });

  it('keeps its data elsewhere, behind a link, if that user may not enter the folder', async () => {
    await chmod(folder, 0o700);
    const server = await start();
    expect((await lstat(join(folder, 'postgres'))).isSymbolicLink()).toBe(true);
    await storeAnswer(server.url);
    await server.stop();
    expect(await keptAnswer()).toEqual([{ answer: 42 }]);
  });

  it('checks the permissions of owner, group and others', async () => {
    await chmod(folder, 0o700);
    expect(await canReach(folder, { name: 'root', uid: 0, gid: 0 })).toBe(true);
    expect(await canReach(folder, { name: 'other', uid: 12_345, gid: 12_345 })).toBe(false);
    await chmod(folder, 0o710);
    expect(await canReach(folder, { name: 'same group', uid: 12_345, gid: 0 })).toBe(true);
  });
});

describe('a PostgreSQL that dies while it is asked for its database', () => {
  it('fails that question, and nothing else', async () => {
    const unhandled = vi.fn<(error: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    const server = await start();
    const dying = createServer((client) => {
      const behind = connect(Number(new URL(server.url).port), '127.0.0.1');
      behind.pipe(client);
      client.on('data', (words: Buffer) => (words.includes('select') ? client.destroy() : behind.write(words)));
      client.on('close', () => behind.destroy());
      client.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(dying, 'listening');
    const address = dying.address();
    const url = new URL(server.url);
    url.port = String(address !== null && typeof address === 'object' && address.port);
    try {
      await expect(ensureDatabase(url.href, 'holdfast')).rejects.toThrow('Connection terminated');
      await new Promise(setImmediate);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
      dying.close();
      await server.stop();
    }
  });
});
