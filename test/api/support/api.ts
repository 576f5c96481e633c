import { connectDatabase, type Database } from '../../../src/db/client.ts';
import { loadApiConfig } from '../../../src/config.ts';
import type { Role } from '../../../src/contracts/statuses.ts';
import { insertApiKey } from '../../../src/records/api-keys.ts';
import { startApi } from '../../../src/api/service.ts';
import { createLogger, type Logger } from '../../../src/log.ts';
import { PAYLOAD_KEYS } from '../../support/payloads.ts';
import { STRIPE_WEBHOOK_SECRET } from '../../support/shop.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { expectAsDocumented } from './contract.ts';

export const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret that is only for tests').toString('base64')}`;
/** Being replaced by the present one, of the warehouse as of the payment provider. Still valid. */
export const OLD_WEBHOOK_SECRET = `whsec_${Buffer.from('the secret that is being replaced').toString('base64')}`;

/** The API on a free port, with keys to use it, and the database behind it. */
export interface TestApi {
  url: string;
  db: Database;
  keys: Record<Role | 'stranger', { id: string; key: string }>;
  close: () => Promise<void>;
}

/**
 * @param options `through` gives another address for the API to reach Postgres at than the tests use; `database` is one
 * that is there already; `namespace` is that of Temporal, whose address is in the environment; `environment` sets more variables
 */
export async function startTestApi({
  through = (url) => url,
  log = createLogger('api', 'fatal'),
  database: existing,
  namespace = 'default',
  environment = {},
}: {
  through?: (databaseUrl: string) => string;
  log?: Logger;
  database?: TestDatabase;
  namespace?: string;
  environment?: NodeJS.ProcessEnv;
} = {}): Promise<TestApi> {
  const database = existing ?? (await createTestDatabase());
  const { db, close } = connectDatabase(database.url, { max: 5, name: 'test' });
  const config = loadApiConfig({
    DATABASE_URL: through(database.url),
    API_PORT: '0',
    WAREHOUSE_WEBHOOK_SECRET: `${WEBHOOK_SECRET}, ${OLD_WEBHOOK_SECRET}`,
    STRIPE_WEBHOOK_SECRET: `${STRIPE_WEBHOOK_SECRET}, ${OLD_WEBHOOK_SECRET}`,
    TEMPORAL_UI_URL: 'http://ui.test/',
    PAYLOAD_KEYS,
    TEMPORAL_NAMESPACE: namespace,
    RATE_LIMIT: 'off',
    ...environment,
  });
  const server = await startApi(config, log);
  return {
    url: server.url,
    db,
    keys: {
      customer: await insertApiKey(db, { name: 'a customer', role: 'customer' }),
      stranger: await insertApiKey(db, { name: 'another customer', role: 'customer' }),
      support: await insertApiKey(db, { name: 'support', role: 'support' }),
      operator: await insertApiKey(db, { name: 'an operator', role: 'operator' }),
    },
    close: async () => {
      await server.close();
      await close();
      await database.drop();
    },
  };
}

interface Call {
  key?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  text?: string;
  headers?: Record<string, string>;
}

/** Sends a request and reads the answer, JSON or not. Fails when the answer is not as the OpenAPI document says. */
export async function call(api: { url: string }, method: string, path: string, request: Call = {}) {
  const sent = request.text ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: {
      ...(request.key === undefined ? {} : { Authorization: `Bearer ${request.key}` }),
      ...(sent === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...request.headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  const isJson = text !== '' && /json/.test(response.headers.get('Content-Type') ?? '');
  const body: unknown = isJson ? JSON.parse(text) : text;
  const answer = { status: response.status, headers: response.headers, body };
  // A redirect was followed elsewhere.
  if (!response.redirected) expectAsDocumented(method, path, sent, answer);
  return answer;
}

/** A body that `POST /v1/orders` takes: 2 × Earl Grey at 8.90 and 1 × porcelain cup at 19.00, 36.80 EUR in all. */
export const newOrder = () => ({
  customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
  shippingAddress: { line1: 'St James Square 12', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' as const },
  items: [
    { sku: 'TEA-EARL-GREY', quantity: 2 },
    { sku: 'CUP-PORCELAIN', quantity: 1 },
  ],
  payment: { method: 'pm_card_visa' },
});

let serial = 0;
/** @returns the header with a key that was not used before. */
export const freshKey = () => ({ 'Idempotency-Key': `test-${(serial += 1)}` });

/** Places an order and returns its id. */
export async function placeOrder(api: TestApi, body: unknown = newOrder(), key = api.keys.customer.key): Promise<string> {
  const { headers } = await call(api, 'POST', '/v1/orders', { key, body, headers: freshKey() });
  const id = headers.get('Location')?.split('/').at(-1);
  if (!id) throw new Error('the order was not taken');
  return id;
}

/** Signs up and returns the id. */
export async function placeSignup(api: TestApi, email: string): Promise<string> {
  const { headers } = await call(api, 'POST', '/v1/signups', {
    key: api.keys.customer.key,
    body: { email, name: 'Ada' },
    headers: freshKey(),
  });
  const id = headers.get('Location')?.split('/').at(-1);
  if (!id) throw new Error('the signup was not taken');
  return id;
}
