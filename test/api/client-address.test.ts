import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { clientAddressBehind } from '../../src/api/client-address.ts';
import { ConfigError, loadApiConfig } from '../../src/config.ts';

let server: ServerType | undefined;
afterEach(async () => {
  server?.close();
  if (server) await once(server, 'close');
  server = undefined;
});

/** @returns a configuration with these proxies */
const configWith = (proxies: string) =>
  loadApiConfig({
    DATABASE_URL: 'postgres://localhost/holdfast',
    WAREHOUSE_WEBHOOK_SECRET: 'whsec_dGVzdA==',
    STRIPE_WEBHOOK_SECRET: 'whsec_test',
    TRUSTED_PROXIES: proxies,
  });

/** Asks a server on loopback who called. */
async function addressSeen(proxies: string, forwarded: string | undefined): Promise<string> {
  const addressOf = clientAddressBehind(configWith(proxies).TRUSTED_PROXIES);
  const app = new Hono().get('/', (c) => c.text(addressOf(c)));
  const running = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  server = running;
  await once(running, 'listening');
  const address = running.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
  return await (await fetch(`http://127.0.0.1:${address.port}/`, { headers: { ...headers, Connection: 'close' } })).text();
}

it.each([
  ['the connection', 'nobody is trusted', '', '203.0.113.7', '127.0.0.1'],
  ['the connection', 'it is not from a proxy', '10.0.0.0/8, ::1', '203.0.113.7', '127.0.0.1'],
  ['the proxy', 'it says nothing', '127.0.0.1', undefined, '127.0.0.1'],
  ['the proxy', 'it says nonsense', '127.0.0.1', 'somebody', '127.0.0.1'],
  ['what the proxy says', 'the client has invented more', '127.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['what the first proxy says', 'there are two', '127.0.0.1, 10.0.0.0/8', '198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
  ['the farthest proxy', 'it calls itself', '127.0.0.1, 10.0.0.0/8', '10.0.0.1', '10.0.0.1'],
  ['an IPv4 address', 'it comes in IPv6 notation', '127.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
  ['an IPv6 address', 'its proxies are in a network', '127.0.0.1, fd00::/8', '2001:DB8::7, fd00::1', '2001:db8::7'],
])('is that of %s if %s', async (_who, _when, proxies, forwarded, expected) => {
  expect(await addressSeen(proxies, forwarded)).toBe(expected);
});

it.each(['proxy.internal', '10.0.0.0/33', '10.0.0.0/', '/8', '::1/129'])('refuses to trust %s', (proxies) => {
  expect(() => configWith(proxies)).toThrow(ConfigError);
});
