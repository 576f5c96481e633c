import { Stripe } from 'stripe';

const SECRET = 'whsec_for_events_of_tests';

let serial = 0;

/** @returns an event as the payment provider sends it. @param created seconds since 1970 */
export function stripeEvent(type: string, object: object, { id = `evt_${(serial += 1)}`, created = 1_800_000_000 } = {}): Stripe.Event {
  const payload = JSON.stringify({ id, object: 'event', created, type, data: { object } });
  return Stripe.webhooks.constructEvent(payload, Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET }), SECRET);
}
