import { randomUUID } from 'node:crypto';
import { join, relative } from 'node:path';
import { localUrl } from './ports.ts';
import type { Secrets } from './secrets.ts';
import type { Settings } from './settings.ts';

/** Returns the text that is shown once the stack is up: where everything is, and a command that places an order. */
export function welcome({ home, ports, real, hasShopWindow }: Settings, secrets: Secrets, bootMs: number): string {
  const folder = (name: string) => relative(process.cwd(), join(home, name)) || '.';
  const rows: [string, string][] = [
    ['Shop window', hasShopWindow ? `${localUrl(ports.api)}  ← start here, in a browser` : 'not with this API_HOST or NODE_ENV'],
    ['API', localUrl(ports.api)],
    ['API reference', localUrl(ports.api, '/docs')],
    ["Operator's page", `${localUrl(ports.api, '/ops')} (key: ${secrets.operatorKey})`],
    ['Temporal Web UI', real.temporalAddress ? `see ${real.temporalAddress}` : localUrl(ports.temporalUi)],
    ['Inbox', real.smtpUrl ? 'see SMTP_URL' : localUrl(ports.inbox)],
    ['Payment simulator', real.stripeApiBase ?? localUrl(ports.payments)],
    ['Warehouse simulator', real.warehouseUrl ?? localUrl(ports.warehouse)],
    ['PostgreSQL', real.databaseUrl ? 'see DATABASE_URL' : `127.0.0.1:${ports.postgres}`],
    ['Metrics', [ports.apiMetrics, ports.workerMetrics, ports.temporalMetrics].map((port) => localUrl(port, '/metrics')).join(' ')],
    ['Logs', folder('logs')],
    ['Keys and passwords', folder('secrets.json')],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    '',
    `Holdfast is up after ${(bootMs / 1_000).toFixed(1)} s. Press Ctrl-C to stop.`,
    '',
    ...rows.map(([name, where]) => `  ${name.padEnd(width)}  ${where}`),
    '',
    'Place an order from the command line:',
    '',
    sampleOrder(localUrl(ports.api, '/v1/orders'), secrets.customerKey),
    '',
    'In a second terminal:',
    '',
    'npm run demo               # twenty orders of every kind',
    'npm run demo -- --outage   # the warehouse goes down, and all that failed is retried',
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
