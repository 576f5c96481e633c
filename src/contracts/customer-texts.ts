import { isRefusalType, type RefusalType } from './errors.ts';
import type { OrderStatus } from './statuses.ts';

/** What a customer reads about each refusal. The details are for operators: they may repeat what a person or a service wrote. */
const REFUSALS: Record<RefusalType, string> = {
  out_of_stock: 'An item is out of stock.',
  card_declined: 'The payment was declined.',
  invalid_address: 'We cannot deliver to this address.',
  shipment_rejected: 'The warehouse could not send the parcel.',
  order_rejected: 'We could not accept the order.',
  order_cancelled: 'The order was cancelled.',
  parking_deadline_passed: 'We could not complete the order in time.',
};

/** @returns what a customer reads about an error of this type, in one sentence */
export const customerText = (errorType: string): string =>
  isRefusalType(errorType) ? REFUSALS[errorType] : 'There is a technical problem, and we are working on it.';

/** What a customer reads about an order in each status. */
export const ORDER_TEXTS: Record<OrderStatus, string> = {
  accepted: 'We have received your order.',
  reserved: 'We have received your order and are taking the payment.',
  awaiting_approval: 'We are checking your order before we take the payment.',
  charged: 'We have received your payment and are preparing your order.',
  fulfilling: 'Our warehouse is packing your order.',
  shipped: 'Your parcel is on its way.',
  completed: 'Your order is complete.',
  needs_attention: 'Your order is taking longer than usual. We are working on it, and you do not need to do anything.',
  compensating: 'Your order is being undone. Anything you paid will be refunded.',
  cancelled: 'Your order has been cancelled. Anything you paid has been refunded.',
  failed: 'We could not complete your order. Anything you paid has been refunded.',
};
