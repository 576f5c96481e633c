import { Hono } from 'hono';
import { z } from 'zod';
import { underFault } from '../faults.ts';
import { faultMiddleware } from '../fault-middleware.ts';
import type { SimulatorEnv } from '../http.ts';
import type { Shared } from '../simulator.ts';
import { listSchema, progresses, shipmentRequestSchema, type WarehouseEntry } from './shipments.ts';
import { Refusal, type Warehouse } from './warehouse.ts';

type Parts = Pick<Shared<WarehouseEntry>, 'panel' | 'signal'> & { warehouse: Warehouse; apiKey: string };
type Answer = { status: 200 | 201 | 500; body: object; headers?: Record<string, string> };

/** The warehouse's HTTP API. */
export function createWarehouseApp({ warehouse, panel, apiKey, signal }: Parts): Hono<SimulatorEnv> {
  const app = new Hono<SimulatorEnv>();
  app.use('/v1/*', async (c, next) => {
    if (c.req.header('Authorization') !== `Bearer ${apiKey}`) throw new Refusal(401, 'unauthorized', 'The API key is missing or wrong.');
    await next();
  });
  app.use('/v1/*', faultMiddleware(panel, (c, status, code, message) => c.json({ error: { code, message } }, status)));
  app.onError((error, c) => {
    if (error instanceof Refusal) return c.json({ error: { code: error.code, message: error.message } }, error.status);
    return c.json({ error: { code: 'internal', message: 'Unexpected error.' } }, 500);
  });
  app.notFound((c) => c.json({ error: { code: 'not_found', message: 'No such route.' } }, 404));

  const answerUnder = (fault: SimulatorEnv['Variables']['fault'], work: () => Answer): Promise<Answer> =>
    underFault(fault, signal, work, (_answer, message) => ({ status: 500, body: { error: { code: 'api_error', message } } }));

  app.post('/v1/shipments', async (c) => {
    const key = c.req.header('Idempotency-Key');
    if (!key || key.length > 255) throw new Refusal(400, 'invalid_request', 'Idempotency-Key is required, up to 255 characters.');
    const request = shipmentRequestSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!request.success) throw new Refusal(400, 'invalid_request', z.prettifyError(request.error));
    const { status, body, headers } = await answerUnder(c.get('fault'), () => {
      const { shipment, replayed } = warehouse.accept(request.data, key);
      const { id, reference, acceptedAt } = shipment;
      return {
        status: replayed ? 200 : 201,
        body: { id, reference, state: 'accepted', acceptedAt },
        ...(replayed && { headers: { 'Idempotent-Replayed': 'true' } }),
      };
    });
    return c.json(body, status, headers);
  });

  app.post('/v1/shipments/:reference/cancellation', async (c) => {
    const reference = c.req.param('reference');
    const { status, body } = await answerUnder(c.get('fault'), () => {
      warehouse.cancel(reference);
      return { status: 200, body: { reference, state: 'cancelled' } };
    });
    return c.json(body, status);
  });

  app.get('/v1/shipments', async (c) => {
    const query = listSchema.safeParse(c.req.query());
    if (!query.success) throw new Refusal(400, 'invalid_request', z.prettifyError(query.error));
    const { status, body } = await answerUnder(c.get('fault'), () => ({ status: 200, body: warehouse.list(query.data) }));
    return c.json(body, status);
  });

  app.get('/v1/shipments/:reference', async (c) => {
    const { status, body } = await answerUnder(c.get('fault'), () => ({ status: 200, body: warehouse.find(c.req.param('reference')) }));
    return c.json(body, status);
  });

  for (const progress of progresses) {
    app.post(`/_sandbox/shipments/:reference/${progress}`, (c) => c.json(warehouse.progress(c.req.param('reference'), progress)));
  }
  return app;
}
