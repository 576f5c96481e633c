import { z } from '@hono/zod-openapi';
import { Webhook } from 'standardwebhooks';
import { v7 as uuid } from 'uuid';
import type { Api } from '../../src/api/environment.ts';
import { newOrderSchema } from '../../src/api/routes/create-order.ts';
import { parseShipmentReference } from '../../src/contracts/ids.ts';
import { acceptingRoute } from './edge.ts';
import type { Rows } from './rows.ts';

const eventSchema = z.object({ type: z.string(), data: z.object({ reference: z.string() }) });

/** Adds what the shops of the peers answer: orders, and the webhooks of the simulators. */
export function addShop(
  api: Api,
  { rows, warehouseWebhookSecret, start, tell }: {
    rows: Rows;
    warehouseWebhookSecret: string;
    /** Starts the workflow of an order. */
    start: (orderId: string) => Promise<unknown>;
    /** Tells it what the carrier reports: `shipment.shipped`, then `shipment.delivered`. */
    tell: (orderId: string, news: string) => Promise<void>;
  },
): void {
  api.openapi(acceptingRoute('/v1/orders', newOrderSchema), async (c) => {
    const id = uuid();
    await rows.insertOrder(id, c.var.caller.keyId, c.req.valid('json'));
    await start(id);
    return c.json({ id, status: 'accepted' }, 202, { Location: `/v1/orders/${id}` });
  });
  const webhook = new Webhook(warehouseWebhookSecret);
  api.post('/v1/webhooks/warehouse', async (c) => {
    const { type, data } = eventSchema.parse(webhook.verify(await c.req.text(), c.req.header()));
    const shipment = parseShipmentReference(data.reference);
    if (!shipment) return c.json({ received: false }, 404);
    await tell(shipment.orderId, type);
    return c.json({ received: true }, 202);
  });
  // The charge has the answer already.
  api.post('/v1/webhooks/stripe', (c) => c.json({ received: true }));
}
