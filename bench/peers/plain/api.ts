import { createRoute, z } from '@hono/zod-openapi';
import { Client } from '@temporalio/client';
import { Webhook } from 'standardwebhooks';
import { v7 as uuid } from 'uuid';
import { allow, ANYONE } from '../../../src/api/auth.ts';
import { newOrderSchema } from '../../../src/api/routes/create-order.ts';
import { json, jsonBody } from '../../../src/api/schemas/common.ts';
import { loadApiConfig } from '../../../src/config.ts';
import { orderWorkflowId, parseShipmentReference } from '../../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../../src/contracts/names.ts';
import { connectTemporal } from '../../../src/temporal/connection.ts';
import { createEdge } from '../edge.ts';
import { connectRows } from './rows.ts';
import { carrierUpdate, order } from './workflows.ts';

const config = loadApiConfig();
const rows = connectRows(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'plain-api' });
const { workflow } = new Client({ connection: connectTemporal(), namespace: config.TEMPORAL_NAMESPACE });
const webhook = new Webhook(config.WAREHOUSE_WEBHOOK_SECRET);
const { api, serve } = createEdge('plain', config.DATABASE_URL);

api.openapi(
  createRoute({
    method: 'post',
    path: '/v1/orders',
    ...allow(ANYONE),
    request: { body: jsonBody(newOrderSchema) },
    responses: { 202: { description: 'Accepted', content: json(z.object({ id: z.uuid(), status: z.string() })) } },
  }),
  async (c) => {
    const id = uuid();
    await rows.insertOrder(id, c.var.caller.keyId, c.req.valid('json'));
    await workflow.start(order, { workflowId: orderWorkflowId(id), taskQueue: TASK_QUEUES.orders, args: [id] });
    return c.json({ id, status: 'accepted' }, 202, { Location: `/v1/orders/${id}` });
  },
);

const eventSchema = z.object({ type: z.string(), data: z.object({ reference: z.string() }) });

api.post('/v1/webhooks/warehouse', async (c) => {
  const { type, data } = eventSchema.parse(webhook.verify(await c.req.text(), c.req.header()));
  const shipment = parseShipmentReference(data.reference);
  if (!shipment) return c.json({ received: false }, 404);
  await workflow.getHandle(orderWorkflowId(shipment.orderId)).signal(carrierUpdate, type);
  return c.json({ received: true }, 202);
});
// The charge has the answer already.
api.post('/v1/webhooks/stripe', (c) => c.json({ received: true }));

await serve(config.API_PORT);
