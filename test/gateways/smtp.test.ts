import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMailGateway, type MailGateway } from '../../src/gateways/smtp.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import type { FaultMode } from '../../src/sandbox/simulators/faults.ts';
import { startInbox, type Inbox } from '../../src/sandbox/simulators/inbox.ts';

let folder: string;
let inbox: Inbox;
let gateway: MailGateway;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  inbox = await startInbox({ smtpPort: 0, httpPort: 0, file: join(folder, 'inbox.jsonl') });
  gateway = createMailGateway({ url: inbox.smtpUrl, from: 'Shop <shop@shop.example>', timeout: 2_000 });
});
afterEach(async () => {
  gateway.close();
  await inbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const mail = (to = 'ada@example.com') => ({ key: 'key', to, subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' });
const UNAVAILABLE = { type: 'email_unavailable', nonRetryable: false };

it('sends text and HTML, with a Message-ID that comes from the key', async () => {
  await gateway.send(mail());
  await gateway.send(mail());
  await gateway.send({ ...mail(), key: 'another key' });
  expect(inbox.messages()).toMatchObject([
    { copies: 1 },
    { copies: 2, messageId: expect.stringMatching(/^<[0-9a-f]{32}@shop\.example>$/), text: 'Hello', html: '<p>Hello</p>' },
  ]);
});

it('sends nothing that nobody waits for any more when it is its turn', async () => {
  inbox.faults.set({ mode: 'slow', delayMs: 50 });
  const waiting = new AbortController();
  const first = Array.from({ length: 5 }, (_, index) => gateway.send({ ...mail(), key: `${index}` }));
  const given = gateway.send({ ...mail(), key: 'given up' }, { signal: waiting.signal });
  const last = gateway.send({ ...mail(), key: 'last' });
  waiting.abort();
  await expect(given).rejects.toMatchObject(UNAVAILABLE);
  await Promise.all([...first, last]);
  expect(inbox.messages()).toHaveLength(6);
});

it('makes no first try while the others take long, and sends those that wait', async () => {
  inbox.faults.set({ mode: 'slow', delayMs: 700 });
  const first = Array.from({ length: 5 }, (_, index) => gateway.send({ ...mail(), key: `${index}` }, { isFirstTry: true }));
  const given = gateway.send({ ...mail(), key: 'given up' }, { isFirstTry: true });
  const patient = gateway.send({ ...mail(), key: 'patient' });
  await expect(given).rejects.toMatchObject({ type: 'email_busy' });
  await Promise.all([...first, patient]);
  expect(inbox.messages()).toHaveLength(6);
});

describe('a failing mail server', () => {
  it.each<[Exclude<FaultMode, 'slow'>, number]>([
    ['down', 0],
    ['error_before', 0],
    ['rate_limit', 0],
    ['drop_after_commit', 1],
    ['error_after_commit', 1],
  ])('%s: is asked once, and the error is retryable', async (mode, arrived) => {
    inbox.faults.set({ mode });
    await expect(gateway.send(mail())).rejects.toMatchObject(UNAVAILABLE);
    expect(inbox.messages().map(({ copies }) => copies)).toEqual(Array<number>(arrived).fill(1));
  });

  it('that does not answer in time gives a retryable error', async () => {
    inbox.faults.set({ mode: 'slow', delayMs: 5_000 });
    await expect(gateway.send(mail())).rejects.toMatchObject(UNAVAILABLE);
  });

  it('that speaks another protocol gives a retryable error that says so', async () => {
    const web = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 502 Bad Gateway\r\n\r\n<html>'));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const address = web.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const wrong = createMailGateway({ url: `smtp://127.0.0.1:${port}`, from: 'shop@shop.example' });
    await expect(wrong.send(mail())).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: 'The mail server did not accept the email (unreadable answer).',
    });
    wrong.close();
    web.close();
  });

  it('that cannot be reached gives a retryable error', async () => {
    const away = createMailGateway({ url: `smtp://127.0.0.1:${await freePort()}`, from: 'shop@shop.example' });
    await expect(away.send(mail())).rejects.toMatchObject(UNAVAILABLE);
    away.close();
  });
});

it('an address that does not exist gives a permanent error that does not name it', async () => {
  const sending = gateway.send(mail('bounce@example.com'));
  await expect(sending).rejects.toMatchObject({ type: 'invalid_request', nonRetryable: true });
  await expect(sending).rejects.toThrow('The mail server rejected the email (550).');
});
