import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  expectEmailsRight,
  expectHistoriesReplay,
  expectInvoicesRight,
  expectKeysOfOrders,
  expectMoneyRight,
  expectNothingToReconcile,
  expectOneRunForEachOrder,
  expectStockRight,
  expectWishesGranted,
} from './storm/invariants.ts';
import { STORM_VARIABLE, stormOptions } from './storm/options.ts';
import { reportOn } from './storm/report.ts';
import { PROCESS_NAMES } from './storm/schedule.ts';
import { runStorm, type Aftermath } from './storm/storm.ts';

const options = stormOptions.parse(JSON.parse(process.env[STORM_VARIABLE] ?? '{}'));
/** In ms: longer than a storm takes that does not come to rest. */
const LIMIT = 480_000 + options.orders * 2_000;

let aftermath: Aftermath;
beforeAll(async () => {
  aftermath = await runStorm(options, inject('workflowBundlePath'), (line) => console.log(line));
  for (const line of await reportOn(aftermath)) console.log(line);
}, LIMIT);
afterAll(() => aftermath?.close(), LIMIT);

describe(`after a storm in which every process was killed or frozen (seed ${options.seed})`, { timeout: LIMIT }, () => {
  it('has struck every process, twelve times at least', () => {
    const { processes } = aftermath.schedule;
    expect(new Set(processes.map(({ process }) => process))).toEqual(new Set(PROCESS_NAMES));
    expect(processes.length).toBeGreaterThanOrEqual(12);
  });

  it('every order has ended as its customer wished', () => expectWishesGranted(aftermath));

  it('every 202 has one order and one run', () => expectOneRunForEachOrder(aftermath));

  it('the money kept is the price of each fulfilled order, and nothing for any other', () => expectMoneyRight(aftermath));

  it('every payment and parcel has a key that follows from its order', () => expectKeysOfOrders(aftermath));

  it('the stock adds up', () => expectStockRight(aftermath));

  it('the invoice numbers have no gap', () => expectInvoicesRight(aftermath));

  it('all copies of an email share one Message-ID', () => expectEmailsRight(aftermath));

  it('the reconciliation finds nothing', () => expectNothingToReconcile(aftermath));

  it('no run was non-deterministic, and every history replays', () => expectHistoriesReplay(aftermath));
});
