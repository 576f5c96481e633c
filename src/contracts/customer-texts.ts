import { isRefusalType, type RefusalType } from './errors.ts';

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
