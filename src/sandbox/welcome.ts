import { randomUUID } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

const at = (port: number, path = '') => `http://127.0.0.1:${port}${path}`;

/** Returns what a person sees once the stack is up: where everything is, and an order to place. */
export function welcome({ home, ports, real }: Settings, secrets: Secrets, bootMs: number): string {
  const folder = (name: string) => relative(process.cwd(), join(home, name)) || '.';
  const rows: [string, string][] = [
    ['API', at(ports.api)],
    ['API reference', at(ports.api, '/docs')],
    ["Operator's page", `${at(ports.api, '/ops')} (key: ${secrets.operatorKey})`],
    ['Temporal Web UI', real.temporalAddress ? `of ${real.temporalAddress}` : at(ports.temporalUi)],
    ['Inbox', real.smtpUrl ? 'as SMTP_URL says' : at(ports.inbox)],
    ['Payment simulator', real.stripeApiBase ?? at(ports.payments)],
    ['Warehouse simulator', real.warehouseUrl ?? at(ports.warehouse)],
    ['PostgreSQL', real.databaseUrl ? 'as DATABASE_URL says' : `127.0.0.1:${ports.postgres}`],
    ['Logs', folder('logs')],
    ['Keys and passwords', folder('secrets.json')],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    '',
    `Holdfast is up after ${(bootMs / 1_000).toFixed(1)} s. Ctrl-C stops it.`,
    '',
    ...rows.map(([name, where]) => `  ${name.padEnd(width)}  ${where}`),
    '',
    'Place an order:',
    '',
    sampleOrder(at(ports.api, '/v1/orders'), secrets.customerKey),
    '',
  ].join('\n');
}

function sampleOrder(url: string, key: string): string {
  const body = {
    customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
    shippingAddress: { line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' },
    items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
    payment: { method: 'pm_card_visa' },
  };
  return [
    `curl -i ${url} \\`,
    `  -H 'Authorization: Bearer ${key}' \\`,
    `  -H 'Idempotency-Key: ${randomUUID()}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ].join('\n');
}
