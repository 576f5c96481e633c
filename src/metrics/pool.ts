import type { Pool } from 'pg';
import { Gauge, Registry } from 'prom-client';
import type { MetricsSource } from './server.ts';

/** @returns how the connections of a pool are used */
export function poolMetrics(pool: Pool): MetricsSource {
  const registry = new Registry();
  const connections = new Gauge({
    name: 'holdfast_postgres_connections',
    help: "Connections of this process's pool.",
    labelNames: ['state'],
    registers: [registry],
  });
  const largest = new Gauge({
    name: 'holdfast_postgres_connections_max',
    help: 'How many connections the pool may open.',
    registers: [registry],
  });
  const waiting = new Gauge({
    name: 'holdfast_postgres_waiting',
    help: 'How many wait for a connection.',
    registers: [registry],
  });
  return async () => {
    connections.set({ state: 'idle' }, pool.idleCount);
    connections.set({ state: 'in_use' }, pool.totalCount - pool.idleCount);
    largest.set(pool.options.max);
    waiting.set(pool.waitingCount);
    return await registry.metrics();
  };
}
