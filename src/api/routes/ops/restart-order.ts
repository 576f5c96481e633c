import { restartOrder as restart } from '../../../operate/orders.ts';
import { loadOrder, orderSchema } from '../../../views/order.ts';
import { actionOperation } from '../../action-operation.ts';
import { restartedOrder } from '../../examples/orders.ts';

export const restartOrder = actionOperation('restartOrder', '/v1/ops/orders/{id}/restart', restart, {
  schema: orderSchema,
  examples: { restarted: restartedOrder },
  location: ({ links }, id) => links.order(id).self,
  load: ({ db, links }, caller, id) => loadOrder(db, links, caller, id),
});
