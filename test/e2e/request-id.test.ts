import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { acceptOrder } from '../../src/intake/orders.ts';
import { acceptSignup } from '../../src/intake/signups.ts';
import { keepLog } from '../support/kept-log.ts';
import { useNamespace } from '../support/namespace.ts';
import { useShop } from '../support/shop.ts';
import { startWorkers } from '../support/workers.ts';

const temporal = await useNamespace();
const shop = await useShop();

const line = z.object({ msg: z.string(), workflow: z.string(), activity: z.string(), requestId: z.string().optional() });

const request = (requestId: string) => ({ idempotencyKey: requestId, requestHash: 'test', requestId });

it('the log of every activity names the request that its run began with', async () => {
  const { log, lines } = keepLog('info');
  const entries = () => lines.map((text) => line.parse(JSON.parse(text)));
  const stop = await startWorkers(shop, { ...temporal, log });
  const order = await acceptOrder(shop.db, shop.caller, {
    ...request('request-of-the-order'),
    order: {
      customer: { email: 'ada@example.com', name: 'Ada Lovelace' },
      shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: 'W1U 4EG', country: 'GB' },
      items: [{ sku: 'TEA-EARL-GREY', quantity: 2 }],
      payment: { method: 'pm_card_visa' },
    },
  });
  const signup = await acceptSignup(shop.db, shop.caller, {
    ...request('request-of-the-signup'),
    signup: { email: 'grace@example.com', name: 'Grace Hopper' },
  });
  await shop.dispatcher(temporal.client).drain();
  await vi.waitUntil(() => ['issueInvoice', 'sendSignupEmail'].every((name) => entries().some(({ activity }) => activity === name)), {
    timeout: 20_000,
  });
  await stop();
  const requests = new Set(entries().map(({ workflow, requestId }) => `${workflow} ${requestId}`));
  expect(requests).toEqual(new Set([`order/${order.made.id} request-of-the-order`, `signup/${signup.made.id} request-of-the-signup`]));
});
