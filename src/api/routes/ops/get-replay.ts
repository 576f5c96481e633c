import { createRoute } from '@hono/zod-openapi';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams, json } from '../../schemas/common.ts';
import { loadReplay, replaySchema } from '../../views/replay.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/ops/replays/{id}',
  tags: ['Operations'],
  summary: 'A bulk replay and how far it is',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'The bulk replay', content: json(replaySchema) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getReplay = (api: Api, { db, links }: Dependencies) =>
  api.openapi(route, async (c) => c.json(await loadReplay(db, links, c.req.valid('param').id), 200));
