import { z } from '@hono/zod-openapi';
import { listActions as list } from '../../../queries/operator-actions.ts';
import { time } from '../../../views/common.ts';
import { cutPage, pageOf } from '../../../views/page.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { NUMBER_CURSOR, OPERATOR, SCHEDULE_ID } from '../../examples/ids.ts';
import { queryRoute } from '../../read-operation.ts';
import { numberedPageQuery } from '../../schemas/page.ts';

const actionSchema = z
  .strictObject({
    id: z.int(),
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    reason: z.string(),
    at: time,
  })
  .openapi('OperatorAction');

const route = queryRoute(
  'listActions',
  '/v1/ops/actions',
  { summary: 'The audit: what operators did, to what and why; newest first' },
  numberedPageQuery,
  pageOf(actionSchema),
  {
    page: {
      data: [
        { id: 42, actor: OPERATOR, action: 'pause_schedule', target: SCHEDULE_ID, reason: 'Holidays', at: '2026-11-24T09:00:00.000Z' },
      ],
      nextCursor: NUMBER_CURSOR,
    },
  },
);

export const listActions = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const { page, nextCursor } = cutPage(await list(db, { limit, cursor }), limit, ({ id }) => id);
    return c.json({ data: page.map((action) => ({ ...action, at: action.at.toISOString() })), nextCursor }, 200);
  });
