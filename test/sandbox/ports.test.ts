import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort, freePorts, portProblem } from '../../src/sandbox/ports.ts';

it('finds different free ports', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
});

it('tells a port that is taken', async () => {
  const port = await freePort();
  expect(await portProblem(port)).toBeUndefined();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await portProblem(port)).toBe('is taken');
  await new Promise((resolve) => server.close(resolve));
});
