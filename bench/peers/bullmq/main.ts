// What one would build without Holdfast: a row in Postgres and a job in Redis. Redis is set up as the makers of BullMQ advise
// (https://docs.bullmq.io/guide/going-to-production): an append-only file, written to disk every second, and no eviction.
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { answers, startChild } from '../../../src/sandbox/child.ts';
import { API_FLAGS, application } from '../../../src/sandbox/parts.ts';
import { freePort, localUrl } from '../../../src/sandbox/ports.ts';
import { SetupError } from '../../../src/sandbox/project.ts';
import { runPeer } from '../peer-stack.ts';
import { findRedis } from './redis.ts';

await runPeer('bullmq', async (context, databaseUrl) => {
  const { settings, supervision, shutdown } = context;
  const program = await findRedis();
  if (program === undefined) {
    throw new SetupError('The peer "bullmq" needs redis-server, which is not installed. On Debian: apt-get install redis-server');
  }
  const port = await freePort();
  const redis = await startChild(
    {
      name: 'redis',
      command: program,
      args: [
        ['--port', String(port)],
        ['--bind', '127.0.0.1'],
        ['--dir', settings.home],
        ['--appendonly', 'yes'],
        ['--appendfsync', 'everysec'],
        ['--maxmemory-policy', 'noeviction'],
        // Snapshots in addition to the append-only file would only cost time.
        ['--save', ''],
      ].flat(),
      logFile: join(settings.home, 'logs', 'redis.log'),
      stopSignal: 'SIGTERM',
      stopGraceMs: 10_000,
      isReady: () => pings(port),
      readyWithinMs: 30_000,
    },
    supervision,
  );
  shutdown.add('temporal', redis);

  const environment = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    REDIS_PORT: String(port),
    API_PORT: String(settings.ports.api),
  };
  await application(context, environment, {
    name: 'api',
    args: [...API_FLAGS, 'bench/peers/bullmq/api.ts'],
    isReady: (signal) => answers(localUrl(settings.ports.api, '/livez'), signal),
  });
});

async function pings(port: number): Promise<boolean> {
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    return (await client.ping()) === 'PONG';
  } finally {
    client.disconnect();
  }
}
