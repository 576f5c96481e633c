import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSlackWebhook } from '../../src/gateways/slack.ts';
import { whyNoAnswer } from '../../src/contracts/connection-errors.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import { freePort } from '../../src/sandbox/ports.ts';

/** Calls a service at an address, with each of our clients. */
const CLIENTS: Record<string, (address: string) => Promise<unknown>> = {
  'the warehouse': (address) => createWarehouseGateway({ url: `http://${address}`, apiKey: 'key', timeout: 500 }).cancelShipment('reference'),
  'the payment provider': (address) =>
    createPaymentGateway({ secretKey: 'sk_test', apiBase: `http://${address}`, timeout: 500 }).retrieveIntent('pi_1'),
  'the alert receiver': (address) =>
    createSlackWebhook({ url: `http://${address}`, timeout: 500 }).post({ title: 'A title', text: 'A text', link: 'http://localhost' }),
  async 'the mail server'(address) {
    const gateway = createMailGateway({ url: `smtp://${address}`, from: 'shop@shop.example', timeout: 500 });
    onTestFinished(() => gateway.close());
    await gateway.send({ key: 'key', to: 'ada@example.com', subject: 'Hello', text: 'Hello', html: 'Hello' });
  },
};

/** Listens on a port. @param onSocket what it does to whoever connects @returns its address */
async function listening(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

const TROUBLES: Record<string, () => Promise<string>> = {
  'connection refused': async () => `127.0.0.1:${await freePort()}`,
  'connection reset': () => listening((socket) => socket.resetAndDestroy()),
  'timed out': () => listening(() => {}),
  'host not found': () => Promise.resolve('no-such-host.invalid:80'),
};

describe.each(Object.keys(CLIENTS))('the message when %s does not answer', { timeout: 20_000 }, (client) => {
  it.each(Object.keys(TROUBLES))('says: %s', async (trouble) => {
    const address = await TROUBLES[trouble]?.();
    await expect(CLIENTS[client]?.(address ?? '')).rejects.toMatchObject({
      nonRetryable: false,
      message: expect.stringMatching(new RegExp(`\\(${trouble}\\)\\.$`)),
    });
  });
});

describe('an error that says nothing about the connection', () => {
  it.each([new Error('surprise'), 'surprise', undefined])('%s: no connection', (error) => {
    expect(whyNoAnswer(error)).toBe('no connection');
  });

  it('is not followed for ever', () => {
    const error = new Error('surprise');
    error.cause = error;
    expect(whyNoAnswer(error)).toBe('no connection');
  });
});
