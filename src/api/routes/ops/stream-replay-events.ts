import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { setTimeout as sleep } from 'node:timers/promises';
import { REPLAY_STATES } from '../../../contracts/failures.ts';
import type { Database } from '../../../db/client.ts';
import { notFound } from '../../../intake/errors.ts';
import { countUnderWay, readReplay } from '../../../ops/replays.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { COMMON, problems } from '../../errors.ts';
import { idParams } from '../../schemas/common.ts';
import { progressSchema, progressView } from '../../views/replay.ts';

/** How often progress is read, in ms. */
const POLL = 1_000;
/** Often enough for the proxies in between, which close a silent connection after 30 to 60 s. In ms. */
const HEARTBEAT = 15_000;
/** How long, in ms, what an ended replay has asked for may stand still before nobody is kept waiting for it. */
const STANDSTILL = 30_000;

const eventSchema = progressSchema.extend({ state: z.enum(REPLAY_STATES) }).openapi('ReplayEvent');

const route = createRoute({
  method: 'get',
  path: '/v1/ops/replays/{id}/events',
  tags: ['Operations'],
  summary: 'The progress of a bulk replay as it comes',
  description:
    'Server-sent events named `progress`, the present one first, then one for each change. Ends once the bulk replay ' +
    'has ended and what it asked for has come out, or moves no more.',
  ...allow(OPERATORS),
  request: { params: idParams },
  responses: {
    200: { description: 'Events', content: { 'text/event-stream': { schema: eventSchema } } },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const streamReplayEvents = (api: Api, { db, stopping, log }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    if (!(await readReplay(db, id))) throw notFound('bulk replay');
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' });

    const signal = AbortSignal.any([stopping, c.req.raw.signal]);
    return streamSSE(c, async (stream) => {
      try {
        await follow(db, id, stream, signal);
      } catch (error) {
        // The client reconnects and reads on: an ended stream is all it needs to know.
        log.warn({ requestId: c.var.requestId, cause: error instanceof Error ? error.name : 'unknown' }, 'event stream ended early');
      }
    });
  });

/** Writes the progress at each change, until nothing moves any more or nobody listens. */
async function follow(db: Database, id: string, stream: SSEStreamingApi, signal: AbortSignal): Promise<void> {
  let last = '';
  let changedAt = performance.now();
  let wroteAt = changedAt;
  while (!signal.aborted && !stream.closed) {
    const found = await readReplay(db, id);
    if (!found) return;
    const { replay, progress } = found;
    const data = JSON.stringify({ state: replay.state, ...progressView(progress) });
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
    if (replay.finishedAt && (countUnderWay(progress) === 0 || now - changedAt >= STANDSTILL)) return;
    await sleep(POLL, undefined, { signal }).catch(() => {});
  }
}
