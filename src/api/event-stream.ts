import type { Context } from 'hono';
import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { countStream } from '../metrics/streams.ts';

/** Answers with server-sent events. They are one caller's, so they are not stored: hono's own header would allow it. */
export function streamEvents(c: Context, write: (stream: SSEStreamingApi) => Promise<void>): Response {
  const response = streamSSE(c, (stream) => countStream(() => write(stream)));
  response.headers.set('Cache-Control', 'no-store');
  return response;
}
