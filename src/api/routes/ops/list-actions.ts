import { createRoute, z } from '@hono/zod-openapi';
import { listActions as list } from '../../../ops/actions.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { json, time } from '../../schemas/common.ts';
import { cutSerialPage, pageOf, serialPageQuery } from '../../schemas/page.ts';

const actionSchema = z
  .strictObject({
    id: z.int(),
    actor: z.string(),
    action: z.string().openapi({ example: 'pause_schedule' }),
    target: z.string().openapi({ example: 'weekly-report' }),
    reason: z.string(),
    at: time,
  })
  .openapi('OperatorAction');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/actions',
  tags: ['Operations'],
  summary: 'What operators did, to what and why; the newest first',
  description: 'What was done about one failure is among its own events.',
  ...allow(OPERATORS),
  request: { query: serialPageQuery },
  responses: {
    200: { description: 'One page', content: json(pageOf(actionSchema)) },
    ...problems('unauthenticated', 'forbidden', 'invalid_fields', ...COMMON),
  },
});

export const listActions = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const { page, nextCursor } = cutSerialPage(await list(db, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((action) => ({ ...action, at: action.at.toISOString() })), nextCursor }, 200);
  });
