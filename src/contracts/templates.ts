/** The emails about an order, and who gets each. */
export const ORDER_EMAIL_RECIPIENTS = {
  order_confirmed: 'customer',
  order_shipped: 'customer',
  order_delivered: 'customer',
  order_cancelled: 'customer',
  order_failed: 'customer',
  approval_requested: 'operations',
  approval_reminder: 'operations',
  late_shipment: 'operations',
} as const satisfies Record<string, 'customer' | 'operations'>;
export type OrderTemplate = keyof typeof ORDER_EMAIL_RECIPIENTS;

export type SignupTemplate = 'verification' | 'verification_reminder' | 'welcome' | 'trial_ending';
