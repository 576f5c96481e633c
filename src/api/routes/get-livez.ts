import { createRoute, z } from '@hono/zod-openapi';
import type { Api } from '../environment.ts';
import { json } from '../schemas/common.ts';

const route = createRoute({
  method: 'get',
  path: '/livez',
  operationId: 'getLivez',
  tags: ['Health'],
  summary: 'Whether the process runs',
  responses: { 200: { description: 'It does', content: json(z.strictObject({ status: z.literal('ok') }), { alive: { status: 'ok' } }) } },
});

export const getLivez = (api: Api) => api.openapi(route, (c) => c.json({ status: 'ok' as const }, 200));
