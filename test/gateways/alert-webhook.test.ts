import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAlertWebhook, type AlertMessage } from '../../src/gateways/alert-webhook.ts';

const secret = `whsec_${Buffer.from('only for tests, and long enough').toString('base64')}`;
const message: AlertMessage = {
  type: 'failures.opened',
  timestamp: '2026-11-23T08:00:00.000Z',
  data: { group: 'step/ship/warehouse_unavailable', open: 3, link: 'http://shop.test/ops/failures' },
};

let answer = 204;
const received: { id: string; verified: unknown }[] = [];
let url: string;
let close: () => void;
beforeAll(async () => {
  const app = new Hono().post('/', async (c) => {
    const headers = Object.fromEntries(c.req.raw.headers);
    received.push({ id: headers['webhook-id'] ?? '', verified: new Webhook(secret).verify(await c.req.text(), headers) });
    return c.body(null, answer === 204 ? 204 : answer === 503 ? 503 : 404);
  });
  await new Promise<void>((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      url = `http://127.0.0.1:${port}/`;
      resolve();
    });
    close = () => server.close();
  });
});
afterAll(() => close());

describe('the alert webhook', () => {
  it('sends a signed message with an id that the receiver can verify', async () => {
    await createAlertWebhook({ url, secret }).post('alert:1', message);
    expect(received).toEqual([{ id: 'alert:1', verified: message }]);
  });

  it('gives a retryable error if the receiver is unavailable', async () => {
    answer = 503;
    await expect(createAlertWebhook({ url, secret }).post('alert:2', message)).rejects.toMatchObject({
      type: 'alert_unavailable',
      nonRetryable: false,
    });
  });

  it('gives a permanent error if the receiver rejects the message', async () => {
    answer = 404;
    await expect(createAlertWebhook({ url, secret }).post('alert:3', message)).rejects.toMatchObject({
      type: 'invalid_request',
      nonRetryable: true,
    });
  });
});
