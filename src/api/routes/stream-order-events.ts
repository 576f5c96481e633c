import { createRoute, z } from '@hono/zod-openapi';
import type { SSEStreamingApi } from 'hono/streaming';
import type { Caller } from '../../contracts/caller.ts';
import { FINAL_ORDER_STATUSES, ORDER_STATUSES } from '../../contracts/statuses.ts';
import type { Database } from '../../db/client.ts';
import { readOrderEvents } from '../../queries/order-story.ts';
import { readCancellationRequest, requireOrder } from '../../queries/orders.ts';
import { cancellationAt, cancellationSchema } from '../../views/cancellation.ts';
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

const cancellationEventSchema = z.strictObject({ cancellation: cancellationSchema, generation: z.int(), at: time });

const lastEventIdHeader = requestHeader('Last-Event-ID', 'The `id` of the last event that was received', {
  required: false,
  example: '101',
});

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/events',
  tags: ['Orders'],
  summary: 'The statuses of an order and of its cancellation as they change',
  description:
    'Server-sent events named `status`, whose data is an `OrderEvent`, and `cancellation`, whose data is a `CancellationEvent`. Resumes after `Last-Event-ID`; ends after a final status.',
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
  api.openAPIRegistry.register('CancellationEvent', cancellationEventSchema);
  return api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { caller } = c.var;
    await requireOrder(db, caller, id);
    const lastEventId = Number(c.req.header('Last-Event-ID') ?? 0);
    const after = Number.isSafeInteger(lastEventId) ? lastEventId : 0;
    const first = await readEvents(db, caller, id, after);
    if (first.ended && first.events.length === 0) return c.body(null, 204);

    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' });

    const closeStream = c.get('limits').openStream(caller.keyId);
    return streamEvents(c, (stream) =>
      whileAllowed(c, async (signal) => {
        const subscription = feed.subscribe(id, signal);
        stream.onAbort(subscription.close);
        try {
          await follow({ db, caller, orderId: id, after, stream, subscription });
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

/** Writes the events after `after` and those that follow, until the final one, or until the subscription is closed. */
async function follow({ db, caller, orderId, after, stream, subscription }: {
  db: Database;
  caller: Caller;
  orderId: string;
  after: number;
  stream: SSEStreamingApi;
  subscription: Subscription;
}): Promise<void> {
  let position = after;
  let quietSince = performance.now();
  while (!subscription.closed) {
    const { events, ended } = await readEvents(db, caller, orderId, position);
    for (const { id, event, data } of events) {
      await stream.writeSSE({ id: String(id), event, data: JSON.stringify(data) });
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

/** @returns the events after `last`, and whether the newest status is final. An order has few, so all are read. */
async function readEvents(db: Database, caller: Caller, orderId: string, last: number) {
  const { statuses, cancellations } = await readOrderEvents(db, orderId);
  const request = cancellations.length > 0 ? await readCancellationRequest(db, orderId) : undefined;
  const newest = statuses.at(-1);
  const events = [
    ...statuses.map(({ id, status, generation, at }) => {
      const data: z.infer<typeof eventSchema> = { status, generation, at: at.toISOString() };
      return { id, event: 'status', data };
    }),
    ...cancellations.map((event) => {
      const { id, generation, at } = event;
      const cancellation = cancellationAt(event, cancellations, request, caller);
      const data: z.infer<typeof cancellationEventSchema> = { cancellation, generation, at: at.toISOString() };
      return { id, event: 'cancellation', data };
    }),
  ];
  return {
    events: events.filter(({ id }) => id > last).toSorted((one, other) => one.id - other.id),
    ended: newest !== undefined && FINAL_ORDER_STATUSES.includes(newest.status),
  };
}
