import { readFile } from 'node:fs/promises';
import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAlertWebhook, type AlertMessage } from '../../src/gateways/alert-webhook.ts';
import { createSlackWebhook } from '../../src/gateways/slack.ts';
import { useReceiver } from '../alerts/support/receiver.ts';

const secretOf = (text: string) => `whsec_${Buffer.from(text).toString('base64')}`;
const [present, next] = [secretOf('only for tests, and long enough'), secretOf('the next one, as long as that')];
const message: AlertMessage = {
  type: 'alert.opened',
  timestamp: '2026-11-23T08:00:00.000Z',
  data: {
    alertId: '0197d0a0-0000-7000-8000-000000000000',
    subject: 'step/ship/warehouse_unavailable',
    title: '3 orders (€26.70) parked at shipping: the warehouse has not answered since 19:41',
    text: 'Each waits for a decision.',
    count: 3,
    since: '2026-11-23T18:41:00.000Z',
    link: 'http://shop.test/ops/failures',
  },
};

const receiver = await useReceiver();
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answerWith(204);
});

const webhook = (...secrets: string[]) => createAlertWebhook({ url: receiver.url, secrets });

/** The function that docs/operations.md gives to receivers. */
async function documentedVerify(): Promise<(headers: Record<string, string>, body: string, secret: string) => boolean> {
  const docs = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n(import \{ createHmac[^]+?)```/.exec(docs) ?? [];
  const module: unknown = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const verify: unknown = Object(module).verify;
  if (typeof verify !== 'function') throw new Error('The documentation has no verify.');
  return (headers, body, secret) => verify(headers, body, secret) === true;
}

describe('the alert webhook', () => {
  it('sends a signed message with an id that the receiver can verify, also while its secret is rotated', async () => {
    await webhook(next, present).post('alert:1', message);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    expect(headers).toMatchObject({ 'webhook-id': 'alert:1' });
    for (const secret of [present, next]) expect(new Webhook(secret).verify(body, headers)).toEqual(message);
  });

  it('is verified by the snippet of the documentation, which refuses what was changed, is old or has another secret', async () => {
    const verify = await documentedVerify();
    await webhook(present).post('alert:1', message);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    expect(verify(headers, body, present)).toBe(true);
    expect(verify(headers, `${body} `, present)).toBe(false);
    expect(verify(headers, body, next)).toBe(false);
    const minutesAgo = String(Math.floor(Date.now() / 1000) - 600);
    const old = new Webhook(present).sign('alert:1', new Date(Number(minutesAgo) * 1000), body);
    expect(verify({ ...headers, 'webhook-timestamp': minutesAgo, 'webhook-signature': old }, body, present)).toBe(false);
    expect(verify({}, body, present)).toBe(false);
  });

  it('gives a retryable error if the receiver is unavailable', async () => {
    receiver.answerWith(503);
    await expect(webhook(present).post('alert:2', message)).rejects.toMatchObject({
      type: 'alert_unavailable',
      nonRetryable: false,
    });
  });

  it('gives a permanent error if the receiver rejects the message', async () => {
    receiver.answerWith(404);
    await expect(webhook(present).post('alert:3', message)).rejects.toMatchObject({
      type: 'invalid_request',
      nonRetryable: true,
    });
  });
});

describe("the webhook in Slack's format", () => {
  it('sends text in which nothing is taken for markup, and never names its URL in an error', async () => {
    const slack = createSlackWebhook({ url: receiver.url });
    await slack.post({ title: 'a <b> & c', text: 'see', link: 'http://shop.test/ops?a=1&b=2' });
    expect(receiver.received.map(({ body }): unknown => JSON.parse(body))).toEqual([
      { text: '*a &lt;b&gt; &amp; c*\nsee\n<http://shop.test/ops?a=1&b=2|Open>' },
    ]);
    receiver.answerWith(404);
    await expect(slack.post({ title: 't', text: 't', link: 'l' })).rejects.toThrow(/^The alert receiver rejected the message \(404\)\.$/);
  });
});
