import { createRoute, z } from '@hono/zod-openapi';
import type { SSEStreamingApi } from 'hono/streaming';
import { FINAL_ORDER_STATUSES, ORDER_STATUSES } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { readOrderEvents } from '../../queries/order-story.ts';
import { requireOrder } from '../../queries/orders.ts';
import { time } from '../../views/common.ts';
import { keyed, whileAllowed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { streamEvents } from '../event-stream.ts';
import { orderEvents } from '../examples/orders.ts';
import type { Subscription } from '../order-feed.ts';
import { eventStream, idParams } from '../schemas/common.ts';
import { requestHeader } from '../schemas/header.ts';

/** ms. Often enough for proxies, which close a silent connection after 30 to 60 s. */
const HEARTBEAT = 15_000;

const eventSchema = z.strictObject({ status: z.enum(ORDER_STATUSES), generation: z.int(), at: time });

const lastEventIdHeader = requestHeader('Last-Event-ID', 'The `id` of the last event that was received', {
  required: false,
  example: '101',
});

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/events',
  tags: ['Orders'],
  summary: 'The statuses of an order as they change',
  description: 'Server-sent events named `status`; their data is an `OrderEvent`. Resumes after `Last-Event-ID`; ends after a final status.',
  ...keyed('streamOrderEvents'),
  parameters: [lastEventIdHeader],
  request: { params: idParams },
  responses: {
    200: { description: 'Events', content: eventStream(orderEvents) },
    204: { description: 'Nothing after `Last-Event-ID`, and nothing more will come: do not reconnect' },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const streamOrderEvents = (api: Api, { db, feed, log }: Dependencies) => {
  api.openAPIRegistry.register('OrderEvent', eventSchema);
  return api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    await requireOrder(db, c.var.caller, id);
    const lastEventId = Number(c.req.header('Last-Event-ID') ?? 0);
    const after = Number.isSafeInteger(lastEventId) ? lastEventId : 0;
    const first = await readEvents(db, id, after);
    if (first.ended && first.events.length === 0) return c.body(null, 204);

    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' });

    const closeStream = c.get('limits').openStream(c.get('caller').keyId);
    return streamEvents(c, (stream) =>
      whileAllowed(c, async (signal) => {
        const subscription = feed.subscribe(id, signal);
        stream.onAbort(subscription.close);
        try {
          await follow(db, id, after, stream, subscription);
        } catch (error) {
          // The client reconnects and resumes, so ending the stream is enough.
          log.warn({ requestId: c.var.requestId, cause: error instanceof Error ? error.name : 'unknown' }, 'event stream ended early');
        } finally {
          subscription.close();
          closeStream();
        }
      }),
    );
  });
};

/** Writes the events after `last` and those that follow, until the final one, or until the subscription is closed. */
async function follow(
  db: Database,
  orderId: string,
  last: number,
  stream: SSEStreamingApi,
  subscription: Subscription,
): Promise<void> {
  let position = last;
  let quietSince = performance.now();
  while (!subscription.closed) {
    const { events, ended } = await readEvents(db, orderId, position);
    for (const { id, status, generation, at } of events) {
      const data = JSON.stringify({ status, generation, at: at.toISOString() });
      await stream.writeSSE({ id: String(id), event: 'status', data });
      position = id;
    }
    if (ended) return;
    if (events.length > 0) quietSince = performance.now();
    if (performance.now() - quietSince >= HEARTBEAT) {
      await stream.write(': still here\n\n');
      quietSince = performance.now();
    }
    await subscription.next(quietSince + HEARTBEAT - performance.now());
  }
}

/** @returns the events after `last`, and whether the newest of all is final. An order has few, so all are read. */
async function readEvents(db: Database, orderId: string, last: number) {
  const all = await readOrderEvents(db, orderId);
  const newest = all.at(-1);
  return {
    events: all.filter(({ id }) => id > last),
    ended: newest !== undefined && FINAL_ORDER_STATUSES.includes(newest.status),
  };
}
