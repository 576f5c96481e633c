import { Client } from '@temporalio/client';
import { loadApiConfig } from '../../../src/config.ts';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { TASK_QUEUES } from '../../../src/contracts/names.ts';
import { connectTemporal } from '../../../src/temporal/connection.ts';
import { createEdge } from '../edge.ts';
import { connectRows } from '../rows.ts';
import { addShop } from '../shop-api.ts';
import { carrierUpdate, order } from './workflows.ts';

const config = loadApiConfig();
const { workflow } = new Client({ connection: connectTemporal(), namespace: config.TEMPORAL_NAMESPACE });
const { api, serve } = createEdge('plain', config.DATABASE_URL);
addShop(api, {
  rows: connectRows(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'plain-api' }),
  warehouseWebhookSecret: config.WAREHOUSE_WEBHOOK_SECRET[0],
  start: (id) => workflow.start(order, { workflowId: orderWorkflowId(id), taskQueue: TASK_QUEUES.orders, args: [id] }),
  tell: (id, news) => workflow.getHandle(orderWorkflowId(id)).signal(carrierUpdate, news),
});
await serve(config.API_PORT);
