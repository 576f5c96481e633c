import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, failureEvents, failures } from '../../../src/db/schema.ts';
import { call, startTestApi, type TestApi } from '../support/api.ts';
import { openOrderFailure } from '../support/failures.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const asOperator = () => ({ key: api.keys.operator.key });
const park = (kind: 'step' | 'late_shipment' = 'step') => openOrderFailure(api, { kind });
const act = (action: 'retry' | 'cancel', id: string) =>
  call(api, 'POST', `/v1/ops/failures/${id}/${action}`, { ...asOperator(), body: { reason: 'it is back' } });

describe('the failures', () => {
  it('are listed by status, newest first', async () => {
    const older = await park();
    const { orderId, failureId } = await park();
    const { status, body } = await call(api, 'GET', '/v1/ops/failures?status=open&limit=1', asOperator());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: [
        {
          id: failureId,
          kind: 'step',
          status: 'open',
          workflowId: `order/${orderId}`,
          runId: 'run-1',
          step: 'ship',
          error: { type: 'warehouse_unavailable', message: 'HTTP 503' },
          attempts: 4,
          occurrence: 1,
          firstSeenAt: expect.any(String),
          lastSeenAt: expect.any(String),
          links: { order: `/v1/orders/${orderId}`, retry: `/v1/ops/failures/${failureId}/retry` },
        },
      ],
      nextCursor: expect.any(String),
    });
    await api.db.update(failures).set({ status: 'settled' }).where(eq(failures.id, older.failureId));
    const settled = await call(api, 'GET', '/v1/ops/failures?status=settled', asOperator());
    expect(settled.body).toMatchObject({ data: [{ id: older.failureId }], nextCursor: null });
  });

  it.each(['retry', 'cancel'] as const)('take %s and tell the workflow', async (action) => {
    const { orderId, failureId } = await park();
    const { status, body } = await act(action, failureId);
    expect(status).toBe(202);
    expect(body).toMatchObject({ id: failureId, status: action === 'retry' ? 'retrying' : 'open' });
    const sent = await api.db
      .select()
      .from(commands)
      .where(eq(commands.workflowId, `order/${orderId}`))
      .orderBy(commands.id);
    const actor = `key:${api.keys.operator.id}`;
    const asked = {
      retry: { type: 'resolve_failure', orderId, message: { failureId, occurrence: 1, action, actor } },
      cancel: { type: 'cancel_order', orderId, message: { actor } },
    };
    expect(sent.at(-1)?.body).toEqual(asked[action]);
    const story = await api.db
      .select()
      .from(failureEvents)
      .where(eq(failureEvents.failureId, failureId))
      .orderBy(failureEvents.id);
    expect(story.map(({ type }) => type)).toEqual(['opened', `${action}_requested`]);
    expect(story.at(-1)).toMatchObject({ actor, reason: 'it is back' });
  });

  it('are retried once when two operators retry at once', async () => {
    const { failureId } = await park();
    const answers = await Promise.all([act('retry', failureId), act('retry', failureId)]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([202, 409]));
  });

  it.each(['retry', 'cancel'] as const)('refuse %s for what no order is parked on', async (action) => {
    const { failureId } = await park('late_shipment');
    expect((await act(action, failureId)).status).toBe(409);
  });

  it('answer 404 to a retry of an unknown id', async () => {
    expect((await act('retry', '0197d0a0-0000-7000-8000-000000000000')).status).toBe(404);
    expect((await act('retry', 'no-id')).status).toBe(404);
  });

  it('need a reason', async () => {
    const { failureId } = await park();
    const { status, body } = await call(api, 'POST', `/v1/ops/failures/${failureId}/retry`, {
      ...asOperator(),
      body: {},
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/reason' }] });
  });
});
