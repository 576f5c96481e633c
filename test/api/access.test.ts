import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ACCESS, isOperationId, type Audience } from '../../src/api/access.ts';
import { ROLES_OF } from '../../src/contracts/caller.ts';
import { revokeApiKey } from '../../src/operate/api-keys.ts';
import { insertApiKey } from '../../src/records/api-keys.ts';
import { ROLES, type Role } from '../../src/contracts/statuses.ts';
import { call, placeOrder, placeSignup, startTestApi, type TestApi } from './support/api.ts';
import { OPERATIONS, type Operation } from './support/document.ts';

const NOTHING = '0197d0a0-0000-7000-8000-000000000000';

let api: TestApi;
let revoked: string;
let belongings: Record<'orders' | 'signups', string>;
beforeAll(async () => {
  api = await startTestApi();
  const former = await insertApiKey(api.db, { name: 'former', role: 'operator' });
  await revokeApiKey(api.db, former.id, { actor: 'test', reason: 'It has leaked.' });
  revoked = former.key;
  belongings = { orders: await placeOrder(api), signups: await placeSignup(api, 'ada@example.com') };
});
afterAll(() => api.close());

const audienceOf = ({ operationId }: Operation): Audience | undefined =>
  isOperationId(operationId) ? ACCESS[operationId] : undefined;

/** Sends a request, with nothing in its body. @param id what it is about. Default: something that does not exist */
const send = ({ method, path }: Operation, key?: string, id = NOTHING, body = {}) =>
  call(api, method.toUpperCase(), path.replace(/\{\w+\}/, id), {
    ...(key === undefined ? {} : { key }),
    ...(method === 'post' ? { body } : {}),
  });

const SECURITY: Record<Audience, object[]> = {
  everyone: [],
  tokenHolder: [],
  warehouse: [{ warehouseSignature: [] }],
  paymentProvider: [{ stripeSignature: [] }],
  anyKey: [{ apiKey: [] }],
  staff: [{ apiKey: [] }],
  operators: [{ apiKey: [] }],
};

/** What a caller without a key of these roles is answered; undefined when the operation looks at the request. */
function refusalOf(audience: Audience, role: Role | undefined): 401 | 403 | undefined {
  switch (audience) {
    case 'everyone':
    case 'tokenHolder':
      return undefined;
    case 'warehouse':
    case 'paymentProvider':
      return 401;
    case 'anyKey':
    case 'staff':
    case 'operators':
      if (role === undefined) return 401;
      return ROLES_OF[audience].some((admitted) => admitted === role) ? undefined : 403;
  }
}

describe('the table of who may do what', () => {
  it('has every operation, and no other', () => {
    expect(OPERATIONS.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(ACCESS).toSorted());
  });

  it.each(OPERATIONS)('holds for $operationId', async (operation) => {
    const audience = audienceOf(operation);
    if (!audience) throw new Error('no entry');
    expect(operation.security).toEqual(SECURITY[audience]);

    const callers: [Role | undefined, string | undefined][] = [
      [undefined, undefined],
      [undefined, 'hf_wrong'],
      [undefined, revoked],
      ...ROLES.map((role): [Role, string] => [role, api.keys[role].key]),
    ];
    for (const [role, key] of callers) {
      const caller = role ?? key ?? 'nobody';
      const { status } = await send(operation, key);
      const refusal = status === 401 || status === 403 ? status : undefined;
      expect({ caller, refusal }).toEqual({ caller, refusal: refusalOf(audience, role) });
    }
  });
});

const SECTION = /^\/v1\/(orders|signups)\/\{id\}/;
const ofCustomers = OPERATIONS.filter((operation) => audienceOf(operation) === 'anyKey' && SECTION.test(operation.path));

describe('what belongs to a customer', () => {
  it.each(ofCustomers)('does not exist for another one: $operationId', async (operation) => {
    const id = belongings[operation.path.startsWith('/v1/orders') ? 'orders' : 'signups'];
    // A body that the operation accepts, so that nothing else is wrong.
    const body = operation.operationId === 'cancelOrder' ? { reason: 'It is not mine.' } : {};
    const strange = await send(operation, api.keys.stranger.key, id, body);
    const missing = await send(operation, api.keys.stranger.key, NOTHING, body);
    const about = ({ status, body: problem }: typeof strange) => ({ ...z.looseObject({}).parse(problem), status, instance: '', requestId: '' });
    expect(strange.status).toBe(404);
    expect(about(strange)).toEqual(about(missing));
  });

  it('are operations of orders and of signups', () => {
    expect(ofCustomers.length).toBeGreaterThan(6);
  });
});
