/** The emails that there are. */

export const ORDER_TEMPLATES = [
  'order_confirmed',
  'order_shipped',
  'order_delivered',
  'order_cancelled',
  'order_failed',
  'approval_requested',
  'approval_reminder',
  'late_shipment',
] as const;
export type OrderTemplate = (typeof ORDER_TEMPLATES)[number];

export const SIGNUP_TEMPLATES = ['verification', 'verification_reminder', 'welcome', 'trial_ending'] as const;
export type SignupTemplate = (typeof SIGNUP_TEMPLATES)[number];
