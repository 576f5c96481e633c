import { restartOrder as restart } from '../../../operate/orders.ts';
import { loadOrder, orderSchema } from '../../../views/order.ts';
import { actionOperation } from '../../action-operation.ts';

export const restartOrder = actionOperation('/v1/ops/orders/{id}/restart', restart, {
  schema: orderSchema,
  location: ({ links }, id) => links.order(id).self,
  load: ({ db, links }, caller, id) => loadOrder(db, links, caller, id),
});
