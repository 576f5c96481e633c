import { expect, it } from 'vitest';
import { z } from 'zod';
import { freePort, freePorts, portProblem } from '../../src/sandbox/ports.ts';
import { runCommand } from '../support/command.ts';
import { occupy } from './ports-support.ts';

it('finds different free ports, which no server or connection that does not name its port can take', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  // The range of Linux starts at 32768, that of other systems later.
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

it('gives each port to one process only, even if nothing listens on it yet', async () => {
  // So many that two processes would meet by chance.
  const ours = await freePorts(300);
  const { stdout } = await runCommand('test/sandbox/free-ports.ts', ['300'], {});
  const theirs = z.array(z.int()).parse(JSON.parse(stdout));
  expect(theirs).toHaveLength(300);
  expect(theirs.filter((port) => ours.includes(port))).toEqual([]);
});

it('detects a port that is taken', async () => {
  const port = await freePort();
  expect(await portProblem(port)).toBeUndefined();
  await occupy(port);
  expect(await portProblem(port)).toBe('is taken');
});
