import { createRoute } from '@hono/zod-openapi';
import type { SSEStreamingApi } from 'hono/streaming';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../db/client.ts';
import { notFound } from '../../../contracts/request-error.ts';
import { readBulkAction } from '../../../queries/bulk-actions.ts';
import { keyed, whileAllowed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { streamEvents } from '../../event-stream.ts';
import { bulkActionEvents } from '../../examples/bulk-actions.ts';
import { eventStream, idParams } from '../../schemas/common.ts';
import { bulkActionEventSchema } from '../../../views/bulk-action.ts';

/** ms between two reads of the progress. */
const POLL = 1_000;
/** ms. Often enough for proxies, which close a silent connection after 30 to 60 s. */
const HEARTBEAT = 15_000;
/** ms without a change after which the stream of an ended bulk action ends. */
const STANDSTILL = 30_000;

const route = createRoute({
  method: 'get',
  path: '/v1/ops/bulk-actions/{id}/events',
  tags: ['Operations'],
  summary: 'The progress of a bulk action as it changes',
  description:
    'Server-sent events named `progress`: the present one first, then one for each change. Their data is a `BulkActionEvent`. ' +
    'The stream ends once the bulk action has ended and the outcome of each item is known, or nothing changes ' +
    'any more.',
  ...keyed('streamBulkActionEvents'),
  request: { params: idParams },
  responses: {
    200: { description: 'Events', content: eventStream(bulkActionEvents) },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const streamBulkActionEvents = (api: Api, { db, stopping, log }: Dependencies) => {
  api.openAPIRegistry.register('BulkActionEvent', bulkActionEventSchema);
  return api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    if (!(await readBulkAction(db, id))) throw notFound('bulk action');
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' });

    const closeStream = c.get('limits').openStream(c.get('caller').keyId);
    return streamEvents(c, (stream) =>
      whileAllowed(c, async (signal) => {
        try {
          await follow(db, id, stream, AbortSignal.any([stopping, signal]));
        } catch (error) {
          // The client reconnects and reads on, so ending the stream is enough.
          log.warn({ requestId: c.var.requestId, cause: error instanceof Error ? error.name : 'unknown' }, 'event stream ended early');
        } finally {
          closeStream();
        }
      }),
    );
  });
};

/** Writes the progress at each change, until nothing changes any more or the signal is aborted. */
async function follow(db: Database, id: string, stream: SSEStreamingApi, signal: AbortSignal): Promise<void> {
  let last = '';
  let changedAt = performance.now();
  let wroteAt = changedAt;
  while (!signal.aborted && !stream.closed) {
    const found = await readBulkAction(db, id);
    if (!found) return;
    const { bulkAction, progress } = found;
    const data = JSON.stringify({ state: bulkAction.state, ...progress });
    const now = performance.now();
    if (data !== last) {
      await stream.writeSSE({ event: 'progress', data });
      last = data;
      changedAt = now;
      wroteAt = now;
    } else if (now - wroteAt >= HEARTBEAT) {
      await stream.write(': still here\n\n');
      wroteAt = now;
    }
    if (bulkAction.finishedAt && (progress.waiting === 0 || now - changedAt >= STANDSTILL)) return;
    await sleep(POLL, undefined, { signal }).catch(() => {});
  }
}
