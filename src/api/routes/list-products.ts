import { createRoute, z } from '@hono/zod-openapi';
import { listProducts as list } from '../../queries/products.ts';
import { money } from '../../views/common.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { json } from '../schemas/common.ts';

const productSchema = z
  .strictObject({ sku: z.string(), name: z.string(), price: money, available: z.int() })
  .openapi('Product');

const route = createRoute({
  method: 'get',
  path: '/v1/products',
  operationId: 'listProducts',
  tags: ['Catalogue'],
  summary: 'What is on sale',
  responses: {
    200: {
      description: 'The catalogue',
      content: json(z.strictObject({ data: z.array(productSchema) }), {
        catalogue: {
          data: [{ sku: 'TEA-SENCHA', name: 'Sencha, 100 g', price: { amount: 1250, currency: 'EUR' }, available: 10_000 }],
        },
      }),
    },
    ...problems(...COMMON),
  },
});

export const listProducts = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const products = await list(db);
    const data = products.map(({ sku, name, amount, currency, available }) => ({
      sku,
      name,
      price: { amount, currency },
      available: available ?? 0,
    }));
    return c.json({ data }, 200);
  });
