import type { Decline, Dispute, Refund } from './objects.ts';

const decline = (code: string, declineCode: string, message: string, param?: string): Decline => ({
  type: 'card_error',
  code,
  decline_code: declineCode,
  message,
  param,
});

const generic = decline('card_declined', 'generic_decline', 'Your card was declined.');
const insufficientFunds = decline('card_declined', 'insufficient_funds', 'Your card has insufficient funds.');
const expired = decline('expired_card', 'expired_card', 'Your card has expired.', 'exp_month');
const incorrectCvc = decline('incorrect_cvc', 'incorrect_cvc', "Your card's security code is incorrect.", 'cvc');
const processingError = decline(
  'processing_error',
  'processing_error',
  'An error occurred while processing your card. Try again in a little bit.',
);

/** Test payment methods, and why they are declined, if they are. Source: https://docs.stripe.com/testing?testing-method=payment-methods */
export const paymentMethods: ReadonlyMap<string, Decline | null> = new Map([
  ['pm_card_visa', null],
  ['pm_card_mastercard', null],
  ['pm_card_pendingRefund', null],
  ['pm_card_refundFail', null],
  ['pm_card_createDispute', null],
  ['pm_card_createDisputeProductNotReceived', null],
  ['pm_card_createDisputeInquiry', null],
  ['pm_card_visa_chargeDeclined', generic],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', insufficientFunds],
  ['pm_card_chargeDeclinedExpiredCard', expired],
  ['pm_card_chargeDeclinedIncorrectCvc', incorrectCvc],
  ['pm_card_chargeDeclinedProcessingError', processingError],
]);

/** Test tokens of the legacy Charges API. Source: https://docs.stripe.com/testing?testing-method=tokens */
export const sources: ReadonlyMap<string, Decline | null> = new Map([
  ['tok_visa', null],
  ['tok_mastercard', null],
  ['tok_pendingRefund', null],
  ['tok_refundFail', null],
  ['tok_createDispute', null],
  ['tok_createDisputeProductNotReceived', null],
  ['tok_createDisputeInquiry', null],
  ['tok_chargeDeclined', generic],
  ['tok_chargeDeclinedInsufficientFunds', insufficientFunds],
  ['tok_chargeDeclinedExpiredCard', expired],
  ['tok_chargeDeclinedIncorrectCvc', incorrectCvc],
  ['tok_chargeDeclinedProcessingError', processingError],
]);

/** How a refund of a card begins, and what becomes of it some time later. */
export interface RefundCourse {
  begins: Refund['status'];
  becomes: Refund['status'];
}

/** Cards whose refunds change after they were requested. Source: https://docs.stripe.com/testing#refunds */
const refundCourses: ReadonlyMap<string, RefundCourse> = new Map([
  ['pendingRefund', { begins: 'pending', becomes: 'succeeded' }],
  ['refundFail', { begins: 'succeeded', becomes: 'failed' }],
]);

/** Cards whose charge is disputed some time later. Source: https://docs.stripe.com/testing#disputes */
const disputedCards: ReadonlyMap<string, Pick<Dispute, 'reason' | 'status'>> = new Map([
  ['createDispute', { reason: 'fraudulent', status: 'needs_response' }],
  ['createDisputeProductNotReceived', { reason: 'product_not_received', status: 'needs_response' }],
  ['createDisputeInquiry', { reason: 'fraudulent', status: 'warning_needs_response' }],
]);

const cardOf = (method: string): string => method.replace(/^(pm_card|tok)_/, '');

export const refundCourseOf = (method: string): RefundCourse | undefined => refundCourses.get(cardOf(method));

export const disputeOf = (method: string): Pick<Dispute, 'reason' | 'status'> | undefined => disputedCards.get(cardOf(method));
