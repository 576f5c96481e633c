import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll } from 'vitest';

/** A request that a receiver of webhooks got. */
export interface Received {
  headers: Record<string, string>;
  body: string;
}

/** @returns a receiver of webhooks, closed after the tests of one file */
export async function useReceiver() {
  const received: Received[] = [];
  let answer: 204 | 404 | 503 = 204;
  const app = new Hono().post('/', async (c) => {
    received.push({ headers: Object.fromEntries(c.req.raw.headers), body: await c.req.text() });
    return c.body(null, answer);
  });
  const url = await new Promise<string>((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(`http://127.0.0.1:${port}/`));
    afterAll(() => {
      server.close();
    });
  });
  return {
    url,
    received,
    /** What it answers from now on. */
    answerWith: (status: typeof answer) => {
      answer = status;
    },
  };
}
