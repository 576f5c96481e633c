import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eq } from 'drizzle-orm';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { commands, failures } from '../../src/db/schema.ts';
import { openFailure, reopenRetrying } from '../../src/records/failures.ts';
import { retryFailure } from '../../src/operate/failures.ts';
import { createShop } from '../support/shop.ts';

let shop: Awaited<ReturnType<typeof createShop>>;
beforeAll(async () => {
  shop = await createShop();
});
afterAll(() => shop.close());

describe('a retry that cannot be delivered', () => {
  it('leaves the failure open, as the occurrence that the run waits for, so that it can be asked for again', async () => {
    const ref = await shop.placeOrder();
    const workflowId = orderWorkflowId(ref.orderId);
    const { failureId, occurrence } = await shop.db.transaction((tx) =>
      openFailure(tx, {
        kind: 'step',
        workflowId,
        ...ref,
        step: 'ship',
        errorType: 'warehouse_unavailable',
        errorMessage: 'down',
        attempts: 4,
      }),
    );
    await retryFailure.perform(shop, failureId, { reason: 'it is back' }, 'key:operator');
    await shop.db.update(commands).set({ state: 'set_aside' }).where(eq(commands.workflowId, workflowId));
    await shop.db.transaction((tx) => reopenRetrying(tx, workflowId, 'the command was set aside'));

    const [failure] = await shop.db.select().from(failures).where(eq(failures.id, failureId));
    expect(failure).toMatchObject({ status: 'open', occurrence });
    await retryFailure.perform(shop, failureId, { reason: 'again' }, 'key:operator');
    const [retried] = await shop.db.select().from(failures).where(eq(failures.id, failureId));
    expect(retried).toMatchObject({ status: 'retrying', occurrence });
  });
});
