import { afterAll, afterEach, expect } from 'vitest';
import { createActions } from './rig/actions.ts';
import { createChecks } from './rig/checks.ts';
import { createReadings } from './rig/readings.ts';
import { startTemporal } from './rig/temporal.ts';
import { createWaits } from './rig/waits.ts';
import { createShop, type ShopOptions } from './shop.ts';
import type { WorkersOptions } from './workers.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** The saga of an order whose steps were all done, then undone. */
export const ALL_UNDONE = [
  'reserve: undone',
  'charge: undone',
  'ship: undone',
  'invoice: undone',
  'undo invoice: done',
  'undo ship: done',
  'undo charge: done',
  'undo reserve: done',
];

/**
 * @param duration ms of workflow time
 * @returns a matcher for it: while the services work, the clock of the test server runs on by less than five seconds
 */
export const about = (duration: number): unknown => expect.closeTo(duration, -4);

export type Rig = Awaited<ReturnType<typeof createRig>>;
export type RigOptions = Pick<ShopOptions, 'gatewayTimeout' | 'environment'> & Pick<WorkersOptions, 'replaceActivities'>;

/**
 * A shop with Temporal, under a clock that skips time: real Postgres, workers and activities, and simulated payment,
 * warehouse and mail services. The test plays the carrier. A rig has one clock, so its tests run one after another.
 */
export async function createRig(options: RigOptions = {}) {
  const shop = await createShop(options);
  const temporal = await startTemporal(shop, options);
  const parts = { shop, ...temporal };
  const readings = createReadings(parts);
  const waits = createWaits(parts, readings);
  const { recordStart, ...checks } = await createChecks(parts);
  const actions = createActions(parts, readings, recordStart);

  return {
    /** The shop alone. */
    shop,
    db: shop.db,
    databaseUrl: shop.database.url,
    client: temporal.client,
    caller: shop.caller,
    inbox: shop.inbox,
    payments: shop.payments,
    warehouse: shop.warehouse,
    gateways: shop.gateways,
    skip: temporal.skip,
    ...readings,
    ...waits,
    ...checks,
    ...actions,

    /** Places an order and waits until it is in the warehouse. @returns its id */
    async fulfillingOrder(): Promise<string> {
      const id = await actions.placeOrder();
      await waits.orderStatus(id, 'fulfilling');
      return id;
    },

    async close(): Promise<void> {
      await temporal.stop();
      await shop.close();
    },
  };
}

/**
 * @returns a rig for the tests of one file. After each test its faults are cleared, the books of its orders are checked
 * and the histories of its workflows are replayed.
 */
export async function useRig(options: RigOptions = {}): Promise<Rig> {
  const rig = await createRig(options);
  afterAll(() => rig.close());
  afterEach(async () => {
    rig.heal();
    await rig.checkBooks();
    await rig.replayHistories();
  });
  return rig;
}
