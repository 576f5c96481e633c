import { setTimeout as after } from 'node:timers/promises';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { streamSSE } from 'hono/streaming';
import type { PageEnv } from './environment.ts';
import type { Regions } from './layout.tsx';

/** What has become of a page. */
export interface LiveState {
  regions: Regions;
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
      const { regions, announcement, done } = await read();
      const fragments: Record<string, string> = {};
      for (const [id, element] of Object.entries(regions)) fragments[id] = String(await html`${element}`);
      const data = JSON.stringify({ fragments, announcement });
      if (data !== last) await stream.writeSSE({ event: 'update', data, retry: 1_000 });
      last = data;
      if (done) return await stream.writeSSE({ event: 'end', data: '' });
      await after(every, undefined, { signal }).catch(() => {});
    }
  });
}
