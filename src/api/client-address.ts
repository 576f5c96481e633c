import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { isIP, type BlockList } from 'node:net';

/** @returns the address of the client that sent a request, or `unknown` once its connection is closed */
export type ClientAddress = (c: Context) => string;

/**
 * Each proxy appends to `X-Forwarded-For` whom it was called by. So the header is read from the right, as long as the one who has
 * written is a proxy of ours: anybody else may have invented what is left of it.
 * @param trusted our proxies; the header is ignored without any
 */
export function clientAddressBehind(trusted: BlockList): ClientAddress {
  const isTrusted = (address: string): boolean => {
    const version = isIP(address);
    return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
  return (c) => {
    const forwarded = (c.req.header('X-Forwarded-For') ?? '').split(',');
    let address = plain(getConnInfo(c).remote.address ?? 'unknown');
    for (const hop of forwarded.toReversed().map(plain)) {
      if (!isTrusted(address) || isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  };
}

/** One text for one address: without its zone, and an IPv4 address in IPv6 notation as IPv4. */
const plain = (address: string): string => address.trim().toLowerCase().replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, '');
