import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePorts, listenLocally } from '../../src/sandbox/ports.ts';

const parts = [
  'API',
  'TEMPORAL',
  'TEMPORAL_UI',
  'POSTGRES',
  'SMTP',
  'INBOX',
  'PAYMENTS',
  'WAREHOUSE',
  'API_METRICS',
  'WORKER_METRICS',
  'TEMPORAL_METRICS',
];

/** @returns the environment variables that give every part of the stack a free port */
export async function freePortVariables(): Promise<Record<string, string>> {
  const ports = await freePorts(parts.length);
  return Object.fromEntries(parts.map((part, index) => [`${part}_PORT`, String(ports[index])]));
}

/** Listens on a port until the test ends. */
export async function occupy(port: number): Promise<void> {
  const server = createServer();
  await listenLocally(server, port);
  onTestFinished(() => void server.close());
}
