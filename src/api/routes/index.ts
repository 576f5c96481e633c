import { cancelOrder } from './cancel-order.ts';
import { createOrder } from './create-order.ts';
import { createSignup } from './create-signup.ts';
import { decideApproval } from './decide-approval.ts';
import { getLivez } from './get-livez.ts';
import { getOrderInvoice } from './get-order-invoice.ts';
import { getOrderSaga } from './get-order-saga.ts';
import { getOrder } from './get-order.ts';
import { getReadyz } from './get-readyz.ts';
import { getSignup } from './get-signup.ts';
import { getWeeklyReport } from './get-weekly-report.ts';
import { listOrders } from './list-orders.ts';
import { listProducts } from './list-products.ts';
import { listWeeklyReports } from './list-weekly-reports.ts';
import { OPS_OPERATIONS } from './ops/index.ts';
import { receiveStripeWebhook } from './receive-stripe-webhook.ts';
import { receiveWarehouseWebhook } from './receive-warehouse-webhook.ts';
import { streamOrderEvents } from './stream-order-events.ts';
import { subscribeSignup } from './subscribe-signup.ts';
import { verifySignup } from './verify-signup.ts';

/** Every operation, in the order in which the documentation shows them. */
export const OPERATIONS = [
  listProducts,
  createOrder,
  listOrders,
  getOrder,
  getOrderSaga,
  streamOrderEvents,
  getOrderInvoice,
  cancelOrder,
  decideApproval,
  createSignup,
  getSignup,
  verifySignup,
  subscribeSignup,
  receiveWarehouseWebhook,
  receiveStripeWebhook,
  listWeeklyReports,
  getWeeklyReport,
  ...OPS_OPERATIONS,
  getLivez,
  getReadyz,
];
