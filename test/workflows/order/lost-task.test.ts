import { expect, it } from 'vitest';
import { createInvoiceActivities } from '../../../src/activities/invoice.ts';
import { createWarehouseActivities } from '../../../src/activities/warehouse.ts';
import { ALL_UNDONE, useRig } from '../../support/rig.ts';
import { runActivity } from '../../support/shop.ts';

const rig = await useRig();

it('undoes what a worker had done in a workflow task that was lost, if the order is cancelled before it is repeated', async () => {
  // The run has not come to the shipment, as if its workflow task had been lost with the worker.
  rig.payments.faults.set({ mode: 'error_before', operation: 'POST /v1/payment_intents' });
  const id = await rig.placeOrder();
  await rig.step(id, 'charge: retrying');
  const ref = { orderId: id, generation: 1 };
  const activities = {
    ...createWarehouseActivities({ db: rig.db, gateway: rig.gateways.warehouse }),
    ...createInvoiceActivities({ db: rig.db }),
  };
  await runActivity(() => activities.requestShipment(ref));
  await runActivity(() => activities.issueInvoice(ref));

  await rig.cancel(id);
  expect(await rig.endedBadly(id)).toBe('order_cancelled');
  expect(await rig.saga(id)).toEqual(ALL_UNDONE);
});
