import type { OrderStatus, SignupStatus } from './statuses.ts';

export type OrderTemplate =
  | 'order_confirmed'
  | 'order_shipped'
  | 'order_delivered'
  | 'order_cancelled'
  | 'order_failed'
  | 'cancellation_refused'
  | 'approval_requested'
  | 'approval_reminder'
  | 'late_shipment';

interface OrderEmail {
  to: 'customer' | 'operations';
  /** The statuses in which it is still true. In any other, it is not sent again. */
  holdsIn: readonly OrderStatus[];
}

/** The emails about an order. */
export const ORDER_EMAILS: Record<OrderTemplate, OrderEmail> = {
  order_confirmed: { to: 'customer', holdsIn: ['charged', 'fulfilling', 'needs_attention', 'shipped'] },
  order_shipped: { to: 'customer', holdsIn: ['shipped'] },
  order_delivered: { to: 'customer', holdsIn: ['completed'] },
  order_cancelled: { to: 'customer', holdsIn: ['cancelled'] },
  order_failed: { to: 'customer', holdsIn: ['failed'] },
  cancellation_refused: { to: 'customer', holdsIn: ['charged', 'fulfilling', 'needs_attention', 'shipped', 'completed'] },
  approval_requested: { to: 'operations', holdsIn: ['awaiting_approval'] },
  approval_reminder: { to: 'operations', holdsIn: ['awaiting_approval'] },
  late_shipment: { to: 'operations', holdsIn: ['fulfilling'] },
};

/** @returns whether a text names an email about an order */
export const isOrderTemplate = (text: string): text is OrderTemplate => Object.hasOwn(ORDER_EMAILS, text);

export type SignupTemplate = 'verification' | 'verification_reminder' | 'welcome' | 'trial_ending';

/** The emails about a signup, and the statuses in which each is still true. */
export const SIGNUP_EMAILS: Record<SignupTemplate, { holdsIn: readonly SignupStatus[] }> = {
  verification: { holdsIn: ['pending_verification'] },
  verification_reminder: { holdsIn: ['pending_verification'] },
  welcome: { holdsIn: ['verified', 'trial'] },
  trial_ending: { holdsIn: ['trial'] },
};

/**
 * The emails that anybody can cause with somebody else's address, as often as they like and without paying. There is a cap on
 * them: see `activities/email-cap.ts`.
 */
export const CAPPED_TEMPLATES = [
  'order_cancelled',
  'order_failed',
  'verification',
  'verification_reminder',
] as const satisfies readonly (OrderTemplate | SignupTemplate)[];

/** @returns whether there is a cap on emails of this kind */
export const isCappedTemplate = (template: OrderTemplate | SignupTemplate): boolean => CAPPED_TEMPLATES.some((capped) => capped === template);

/** @returns whether a text names an email about a signup */
export const isSignupTemplate = (text: string): text is SignupTemplate => Object.hasOwn(SIGNUP_EMAILS, text);
