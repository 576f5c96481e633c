import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS, isOperationId, ROLES_OF, type Audience } from '../../src/api/access.ts';
import { ROLES, type Role } from '../../src/contracts/statuses.ts';
import { call, startTestApi, type TestApi } from './support/api.ts';
import { OPERATIONS, type Operation } from './support/document.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const audienceOf = ({ operationId }: Operation): Audience | undefined =>
  isOperationId(operationId) ? ACCESS[operationId] : undefined;

/** Sends a request about something that does not exist, with nothing in its body. */
async function statusOf({ method, path }: Operation, key?: string): Promise<number> {
  const address = path.replace(/\{\w+\}/, '0197d0a0-0000-7000-8000-000000000000');
  const answer = await call(api, method.toUpperCase(), address, {
    ...(key === undefined ? {} : { key }),
    ...(method === 'post' ? { body: {} } : {}),
  });
  return answer.status;
}

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
      ...ROLES.map((role): [Role, string] => [role, api.keys[role].key]),
    ];
    for (const [role, key] of callers) {
      const caller = role ?? key ?? 'nobody';
      const status = await statusOf(operation, key);
      const refusal = status === 401 || status === 403 ? status : undefined;
      expect({ caller, refusal }).toEqual({ caller, refusal: refusalOf(audience, role) });
    }
  });
});
