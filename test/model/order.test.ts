import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { expectSound, invoiceNumbers, stockTotals } from '../support/audit.ts';
import { createRig } from '../support/rig.ts';
import { scripts } from './commands.ts';
import { play } from './play.ts';

// Compares the shop with a small model of an order, in many random runs. A failure prints the shortest script that it has
// found, with its seed and path. To play it again: MODEL_SEED=… MODEL_PATH=… npx vitest run test/model
// The time-skipping server cannot reset runs: `test/e2e/reset.test.ts` does that on a development server.

const { MODEL_SEED, MODEL_PATH, MODEL_RUNS = '200' } = process.env;

/** ms to wait for an order to become what the model says */
const PATIENCE = { first: 20_000, whileShrinking: 4_000 };

const rig = await createRig();
afterAll(() => rig.close());

it('does what the model says, whatever happens in whatever order', { timeout: 1_200_000 }, async () => {
  const stockAtStart = await stockTotals(rig.db);
  let patience = PATIENCE.first;
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      try {
        for (const id of await play(rig, script, patience)) await expectSound(rig, id);
        expect(await stockTotals(rig.db)).toEqual(stockAtStart);
      } catch (error) {
        // It will fail again, many times, while fast-check looks for a shorter script.
        patience = PATIENCE.whileShrinking;
        rig.heal();
        throw error;
      }
    }),
    {
      numRuns: Number(MODEL_RUNS),
      ...(MODEL_SEED === undefined ? {} : { seed: Number(MODEL_SEED) }),
      ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
      interruptAfterTimeLimit: 900_000,
      markInterruptAsFailure: true,
    },
  );
  await rig.replayHistories();
  const numbers = await invoiceNumbers(rig.db);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
