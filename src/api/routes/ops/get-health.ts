import { z } from '@hono/zod-openapi';
import { readHealth } from '../../../queries/health.ts';
import { healthSchema, healthView } from '../../../views/health.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { warehouseDown } from '../../examples/operations.ts';
import { queryRoute } from '../../read-operation.ts';

const route = queryRoute(
  'getHealth',
  '/v1/ops/health',
  {
    summary: 'How the outside services answer, and which workers are alive',
    description: 'Workers take turns to probe each service every 15 seconds. A probe charges, ships and sends nothing.',
  },
  z.strictObject({}),
  healthSchema,
  { warehouseDown },
);

export const getHealth = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => c.json(healthView(await readHealth(deps)), 200));
