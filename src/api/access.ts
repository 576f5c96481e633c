import type { ROLES_OF } from '../contracts/caller.ts';

/** Whom an operation is for. Who brings no API key has another credential, or needs none. */
export type Audience = keyof typeof ROLES_OF | 'everyone' | 'tokenHolder' | 'warehouse' | 'paymentProvider';

/** Whom each operation is for, by its `operationId`. The middleware and the OpenAPI document follow from it. */
export const ACCESS = {
  listProducts: 'everyone',
  createOrder: 'anyKey',
  listOrders: 'anyKey',
  getOrder: 'anyKey',
  getOrderSaga: 'anyKey',
  streamOrderEvents: 'anyKey',
  getOrderInvoice: 'anyKey',
  cancelOrder: 'anyKey',
  decideApproval: 'staff',
  createSignup: 'anyKey',
  getSignup: 'anyKey',
  verifySignup: 'tokenHolder',
  subscribeSignup: 'anyKey',
  receiveWarehouseWebhook: 'warehouse',
  receiveStripeWebhook: 'paymentProvider',
  listWeeklyReports: 'staff',
  getWeeklyReport: 'staff',
  listFailures: 'operators',
  countFailures: 'operators',
  getFailure: 'operators',
  retryFailure: 'operators',
  cancelFailure: 'operators',
  settleFailure: 'operators',
  resetFailure: 'operators',
  fixFailure: 'operators',
  requeueFailure: 'operators',
  listRetrying: 'operators',
  createBulkAction: 'operators',
  listBulkActions: 'operators',
  getBulkAction: 'operators',
  listBulkActionItems: 'operators',
  streamBulkActionEvents: 'operators',
  pauseBulkAction: 'operators',
  resumeBulkAction: 'operators',
  cancelBulkAction: 'operators',
  searchOrders: 'operators',
  getOrderStory: 'operators',
  restartOrder: 'operators',
  searchSignups: 'operators',
  getSignupStory: 'operators',
  erasePerson: 'operators',
  listSchedules: 'operators',
  pauseSchedule: 'operators',
  resumeSchedule: 'operators',
  runSchedule: 'operators',
  backfillSchedule: 'operators',
  getQueues: 'operators',
  getHealth: 'operators',
  getBooks: 'operators',
  getSeries: 'operators',
  listActions: 'operators',
  getLivez: 'everyone',
  getReadyz: 'everyone',
} as const satisfies Record<string, Audience>;

export type OperationId = keyof typeof ACCESS;

/** The operations that need an API key. */
export type KeyedOperationId = {
  [Id in OperationId]: (typeof ACCESS)[Id] extends keyof typeof ROLES_OF ? Id : never;
}[OperationId];

/** @returns whether a text is the id of an operation */
export const isOperationId = (text: string): text is OperationId => Object.hasOwn(ACCESS, text);
