import { createRoute, z } from '@hono/zod-openapi';
import type { Api, Dependencies } from '../environment.ts';
import { checkPart } from '../readiness.ts';
import { json } from '../schemas/common.ts';

const part = z.enum(['ok', 'failing', 'not answering']);
const readinessSchema = z
  .strictObject({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    checks: z.strictObject({ postgres: part, temporal: part }),
  })
  .openapi('Readiness');

const route = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadyz',
  tags: ['Health'],
  summary: 'Whether requests can be accepted',
  description: 'Without Temporal they can (`degraded`): the work is done once it is back.',
  responses: {
    200: {
      description: '`ready` or `degraded`',
      content: json(readinessSchema, {
        ready: { status: 'ready', checks: { postgres: 'ok', temporal: 'ok' } },
        degraded: { status: 'degraded', checks: { postgres: 'ok', temporal: 'not answering' } },
      }),
    },
    503: {
      description: '`unavailable`',
      content: json(readinessSchema, { unavailable: { status: 'unavailable', checks: { postgres: 'failing', temporal: 'ok' } } }),
    },
  },
});

export const getReadyz = (api: Api, { readiness }: Dependencies) =>
  api.openapi(route, async (c) => {
    const [postgres, temporal] = await Promise.all([checkPart(readiness.postgres), checkPart(readiness.temporal)]);
    const checks = { postgres, temporal };
    if (postgres !== 'ok') return c.json({ status: 'unavailable' as const, checks }, 503);
    return c.json({ status: temporal === 'ok' ? ('ready' as const) : ('degraded' as const), checks }, 200);
  });
