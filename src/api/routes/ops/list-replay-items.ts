import { createRoute, z } from '@hono/zod-openapi';
import { notFound } from '../../../intake/errors.ts';
import { ITEM_OUTCOMES } from '../../../intake/replays.ts';
import { listReplayItems as list, readReplay } from '../../../ops/replays.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json, time } from '../../schemas/common.ts';
import { cutSerialPage, pageOf, serialPageQuery } from '../../schemas/page.ts';

const itemSchema = z
  .strictObject({
    position: z.int(),
    orderId: z.uuid(),
    failureId: z.uuid().nullable(),
    outcome: z.enum(ITEM_OUTCOMES),
    message: z.string().nullable().openapi({ description: 'Why it was refused' }),
    generation: z.int().nullable().openapi({ description: 'The generation that a replayed order has got' }),
    actedAt: time.nullable(),
  })
  .openapi('BulkReplayItem');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/replays/{id}/items',
  tags: ['Operations'],
  summary: 'What a bulk replay acts on, and what became of each',
  description: 'In the order in which it acts. An outcome is where the failure or the order stands now.',
  ...allow(OPERATORS),
  request: { params: idParams, query: serialPageQuery.extend({ outcome: z.enum(ITEM_OUTCOMES).optional() }) },
  responses: {
    200: { description: 'One page', content: json(pageOf(itemSchema)) },
    ...problems('unauthenticated', 'forbidden', 'not_found', 'invalid_fields', ...COMMON),
  },
});

export const listReplayItems = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { limit, cursor, outcome } = c.req.valid('query');
    const items = await list(db, id, { limit, after: cursor, outcome });
    if (items.length === 0 && !(await readReplay(db, id))) throw notFound('bulk replay');
    const cut = cutSerialPage(items, limit, ({ position }) => position);
    const data = cut.page.map((item) => ({ ...item, actedAt: item.actedAt?.toISOString() ?? null }));
    return c.json({ data, nextCursor: cut.nextCursor }, 200);
  });
