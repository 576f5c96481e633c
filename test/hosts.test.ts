import { expect, it } from 'vitest';
import { hostNames, isLoopback, knownHosts } from '../src/hosts.ts';

const isKnown = knownHosts(['Shop.example', 'api']);

it.each([
  'localhost',
  'LOCALHOST:3000',
  'shop.example',
  'shop.example:443',
  'api:3000',
  '127.0.0.1:3000',
  '10.1.2.3:3000',
  '[::1]:3000',
  '[fd00::7]',
])('knows %s', (host) => {
  expect(isKnown(host)).toBe(true);
});

it.each(['', 'evil.example', 'evil.example:3000', 'localhost.evil.example', 'shop.example.evil', '127.0.0.1.evil.example', 'evil.1:80', '[evil]'])(
  'does not know "%s"',
  (host) => {
    expect(isKnown(host)).toBe(false);
  },
);

it.each(['localhost', 'LocalHost:3000', '127.0.0.1', '127.0.0.1:3000', '127.3.2.1:80', '::1', '[::1]', '[::1]:3000'])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(['', '0.0.0.0', '::', '[::]:3000', '10.1.2.3:3000', '[fd00::7]', '127.0.0.1.evil.example', 'localhost.evil.example', 'api:3000'])(
  '"%s" is not only this machine',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);

it('reads names from a setting, and refuses addresses with a scheme or a port', () => {
  expect(hostNames.parse(' shop.example,api , ')).toEqual(['shop.example', 'api']);
  expect(hostNames.parse(undefined)).toEqual([]);
  expect(hostNames.safeParse('https://shop.example').success).toBe(false);
  expect(hostNames.safeParse('shop.example:3000').success).toBe(false);
});
