import { expect, it } from 'vitest';
import { freePort, freePorts, portProblem } from '../../src/sandbox/ports.ts';
import { occupy } from './ports-support.ts';

it('finds different free ports, which no server or connection that does not name its port can take', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  // The range of Linux starts at 32768, that of other systems later.
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

it('detects a port that is taken', async () => {
  const port = await freePort();
  expect(await portProblem(port)).toBeUndefined();
  await occupy(port);
  expect(await portProblem(port)).toBe('is taken');
});
