import { EventEmitter, once } from 'node:events';
import { OpenAPIHono } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import type { ApiEnv } from '../../src/api/environment.ts';
import { OrderFeed } from '../../src/api/order-feed.ts';
import { listen } from '../../src/api/server.ts';
import { transaction } from '../../src/db/transaction.ts';
import { recordOrderEvent } from '../../src/records/order-status.ts';
import { useShop } from '../support/shop.ts';

const shop = await useShop();

const never = () => new AbortController().signal;

describe('the order feed', () => {
  it('wakes the waiting requests of an order, and remembers a change between two waits', async () => {
    const [{ orderId }, { orderId: otherId }] = [await shop.placeOrder(), await shop.placeOrder()];
    const feed = new OrderFeed();
    feed.start(shop.db);
    const [one, two, other] = [feed.subscribe(orderId, never()), feed.subscribe(orderId, never()), feed.subscribe(otherId, never())];
    // Every waiting request is woken by the first look: it cannot know what changed before.
    await Promise.all([one.next(), two.next(), other.next()]);
    await transaction(shop.db, (tx) => recordOrderEvent(tx, { orderId, generation: 1 }, 'completed'));
    await one.next(60_000);
    await two.next(60_000);
    feed.close();
    expect(feed.size).toBe(0);
  });

  it('forgets a client that has left', async () => {
    const feed = new OrderFeed();
    const leaving = new AbortController();
    const subscription = feed.subscribe('a', leaving.signal);
    expect(feed.size).toBe(1);
    const waiting = subscription.next();
    leaving.abort();
    await waiting;
    expect(subscription.closed).toBe(true);
    expect(feed.size).toBe(0);
  });

  it('releases a wait immediately if the feed is closed or the client has left', async () => {
    const feed = new OrderFeed();
    feed.close();
    const late = feed.subscribe('a', never());
    await late.next();
    expect(late.closed).toBe(true);
    expect(new OrderFeed().subscribe('a', AbortSignal.abort()).closed).toBe(true);
  });

  it('learns from the HTTP server that a client has left', async () => {
    const feed = new OrderFeed();
    const arrivals = new EventEmitter();
    const api = new OpenAPIHono<ApiEnv>();
    api.get('/', async (c) => {
      const subscription = feed.subscribe('a', c.req.raw.signal);
      arrivals.emit('arrived');
      await subscription.next();
      arrivals.emit('released', subscription.closed);
      return c.body(null);
    });
    const server = await listen(api, { host: '127.0.0.1', port: 0 });
    const client = new AbortController();
    const arrived = once(arrivals, 'arrived');
    const released = once(arrivals, 'released');
    const request = fetch(server.url, { signal: client.signal }).catch(() => 'gone');
    await arrived;
    client.abort();
    expect(await released).toEqual([true]);
    expect(await request).toBe('gone');
    expect(feed.size).toBe(0);
    await server.close();
  });
});
