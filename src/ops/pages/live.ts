import { setTimeout as after } from 'node:timers/promises';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { PageEnv } from './environment.ts';

/** What has become of a page. */
export interface LiveState {
  /** HTML by the id of the element that it fills. */
  fragments: Record<string, string>;
  /** For those who do not see the page. Said when it changes. */
  announcement?: string | undefined;
  /** Nothing more will change. */
  done: boolean;
}

/** After this, in ms, the browser connects anew, and so has to show that its session still holds. */
const LONGEST = 60_000;

/**
 * Streams what changes on a page: an event `update` when something did, `end` when nothing more will.
 * @param every ms between two looks
 */
export function streamUpdates(
  c: Context<PageEnv>,
  { every, stopping, read }: { every: number; stopping: AbortSignal; read: () => Promise<LiveState> },
): Response {
  // Or a proxy keeps events until it has enough of them.
  c.header('X-Accel-Buffering', 'no');
  const until = performance.now() + LONGEST;
  return streamSSE(c, async (stream) => {
    const signal = AbortSignal.any([stopping, c.req.raw.signal]);
    let last = '';
    while (!signal.aborted && performance.now() < until) {
      const { done, ...state } = await read();
      const data = JSON.stringify(state);
      if (data !== last) await stream.writeSSE({ event: 'update', data, retry: 1_000 });
      last = data;
      if (done) return await stream.writeSSE({ event: 'end', data: '' });
      await after(every, undefined, { signal }).catch(() => {});
    }
  });
}
