import { Gauge, Registry } from 'prom-client';
import type { Database } from '../db/client.ts';
import { readAttention } from '../queries/attention.ts';
import { readShop } from '../queries/shop.ts';
import type { MetricsSource } from './server.ts';

/** @returns the state of the whole shop, from Postgres. Every API shows the same, so take the maximum of several, not the sum. */
export function shopMetrics(db: Database): MetricsSource {
  const registry = new Registry();
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge('holdfast_postgres_up', 'Whether the state of the shop could be read.');
  const waiting = gauge('holdfast_commands_waiting', 'Commands that are not delivered to Temporal yet.');
  const oldest = gauge('holdfast_commands_oldest_age_seconds', 'For how long the oldest of these has been waiting.');
  const orders = gauge('holdfast_orders', 'Orders by status.', ['status']);
  const failures = gauge('holdfast_failures_open', 'Open failures by group.', ['kind', 'step', 'error_type']);
  const approvals = gauge('holdfast_approvals_waiting', 'Orders that wait for approval.');

  return async () => {
    // What cannot be read is left out: an old value would hide that.
    registry.resetMetrics();
    for (const known of [waiting, oldest, approvals]) known.remove();
    const read = await Promise.all([readShop(db), readAttention(db)]).catch(() => undefined);
    up.set(read ? 1 : 0);
    if (read) {
      const [shop, attention] = read;
      waiting.set(shop.commandsWaiting);
      oldest.set(shop.oldestCommandAge / 1_000);
      for (const { status, count } of shop.ordersByStatus) orders.set({ status }, count);
      for (const { kind, step, errorType, count } of attention.groups) failures.set({ kind, step, error_type: errorType }, count);
      approvals.set(attention.approvals.count);
    }
    return await registry.metrics();
  };
}
