import { z } from 'zod';

/** A setting that lists host names, such as `shop.example, api`. */
export const hostNames = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((name) => name.trim()).filter(Boolean))
  .pipe(z.array(z.string().regex(/^[\w.-]+$/, 'is not a list of host names such as shop.example, api')));

/** An IP address as it stands in a `Host` header. */
const ADDRESS = /^(?:\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])$/;

/** What only this machine itself is called, with or without a port. */
const LOOPBACK = /^(?:(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d*)?|::1)$/i;

/** @returns whether a host is this machine itself: an address that a server listens on, or a `Host` header */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/**
 * Decides which hosts a server answers as. A web page can point a name of its own at this machine, and then read what it is
 * answered (DNS rebinding), so names have to be known. It cannot do that with an address: by address, probes and people in the
 * same network reach the server without further settings.
 * @param names besides `localhost`
 * @returns whether a `Host` header is known, whatever its port
 */
export function knownHosts(names: readonly string[]): (host: string) => boolean {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return (host) => {
    const name = host.replace(/:\d*$/, '').toLowerCase();
    return known.has(name) || ADDRESS.test(name);
  };
}
