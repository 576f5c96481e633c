import { freePorts } from '../../src/sandbox/ports.ts';

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
