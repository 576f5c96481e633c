import { afterAll, describe, expect, it } from 'vitest';
import { createEmailActivities } from '../../../src/activities/email.ts';
import { createWarehouseActivities } from '../../../src/activities/warehouse.ts';
import { loadPayloadKeys } from '../../../src/config.ts';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { OrderLinks } from '../../../src/customer-links.ts';
import { connectDatabase } from '../../../src/db/client.ts';
import { startTcpProxy, type TcpProxy } from '../../api/support/tcp-proxy.ts';
import { useRig } from '../../support/rig.ts';

let proxy: TcpProxy | undefined;
const closing: (() => Promise<void>)[] = [];
/** How often each activity was tried while Postgres was away. */
const tries = { ship: 0, email: 0 };

const rig = await useRig({
  replaceActivities({ environment, gateways }) {
    // The activities for the outside reach Postgres through a proxy, all others directly.
    const url = new URL(environment.DATABASE_URL);
    const database = startTcpProxy({ host: url.hostname, port: Number(url.port) }).then((started) => {
      proxy = started;
      url.host = `127.0.0.1:${started.port}`;
      const handle = connectDatabase(url.href, { max: 5, name: 'worker' });
      closing.push(() => handle.close(), () => started.cut());
      return handle.db;
    });
    const settings = {
      publicUrl: 'http://shop.test',
      customerLinks: new OrderLinks('http://shop.test', loadPayloadKeys({ PAYLOAD_KEYS: 'none' })),
      operationsEmail: 'ops@holdfast.example',
      onCallEmail: 'on-call@holdfast.example',
      emailsPerAddressAndDay: 20,
    };
    return {
      async requestShipment(ref) {
        tries.ship += 1;
        await createWarehouseActivities({ db: await database, gateway: gateways.warehouse }).requestShipment(ref);
      },
      async sendOrderEmail(...email) {
        tries.email += 1;
        await createEmailActivities({ db: await database, gateway: gateways.mail, operationsGateway: gateways.mail, settings }).sendOrderEmail(...email);
      },
    };
  },
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** @returns the numbers of the attempts of an order's activities that have ended */
async function attempts(id: string): Promise<number[]> {
  const { events } = await rig.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? []);
}

describe('while Postgres is away', () => {
  it('neither the warehouse nor the mail server loses an attempt', async () => {
    await expect.poll(() => proxy).toBeDefined();
    await proxy?.cut();
    const id = await rig.placeOrder();
    await rig.orderStatus(id, 'charged');
    // More often than either has attempts.
    await expect.poll(() => Math.min(tries.ship, tries.email), { timeout: 20_000 }).toBeGreaterThan(4);
    await proxy?.restore();
    await rig.orderStatus(id, 'fulfilling');
    await rig.carrier(id, 'delivered');
    expect(await rig.result(orderWorkflowId(id))).toEqual({ status: 'completed' });
    expect(new Set(await attempts(id))).toEqual(new Set([1]));
    expect(await rig.failures(id)).toEqual([]);
    expect(await rig.sent(id)).toEqual(['order_confirmed', 'order_delivered', 'order_shipped']);
  });
});
