import { Webhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { ORDER_ID } from './ids.ts';

export const shippedParcel = {
  type: 'shipment.shipped',
  timestamp: '2026-11-24T14:02:44Z',
  data: { reference: `order:${ORDER_ID}:1`, carrier: 'DHL', trackingNumber: '00340434161094042557' },
};

export const rejectedParcel = {
  type: 'shipment.rejected',
  timestamp: '2026-11-24T14:02:44Z',
  data: { reference: `order:${ORDER_ID}:1`, reason: 'Damaged in store' },
};

export const failedRefund = {
  id: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
  object: 'event',
  type: 'refund.failed',
  created: 1_795_528_964,
  data: { object: { id: 're_1Nispe2eZvKYlo2Cd31jOCgZ', object: 'refund', status: 'failed', amount: 3680 } },
};

const SENT_AT = new Date('2026-11-24T14:02:44Z');
const seconds = Math.floor(SENT_AT.getTime() / 1_000);

const WAREHOUSE_SECRET = `whsec_${Buffer.from('the secret of this example').toString('base64')}`;
const WAREHOUSE_ID = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W';
const warehouseBody = JSON.stringify(shippedParcel);

/** The headers of a signed webhook of the warehouse. */
export const warehouseHeaders = {
  'webhook-id': WAREHOUSE_ID,
  'webhook-timestamp': String(seconds),
  'webhook-signature': new Webhook(WAREHOUSE_SECRET).sign(WAREHOUSE_ID, SENT_AT, warehouseBody),
};

const STRIPE_SECRET = 'whsec_the_secret_of_this_example';
const stripeBody = JSON.stringify(failedRefund);

/** The header of a signed webhook of the payment provider. */
export const stripeSignature = Stripe.webhooks.generateTestHeaderString({
  payload: stripeBody,
  secret: STRIPE_SECRET,
  timestamp: seconds,
});

/** @returns a section that shows how a signature is made, with numbers that can be checked */
const workedExample = (secret: string, signed: string, how: string, headers: string[], body: string) =>
  `\n\nExample, with the secret \`${secret}\`: ${how} of \`${signed}\`.\n\n\`\`\`http\n${headers.join('\n')}\n\n${body}\n\`\`\``;

export const warehouseSignatureExample = workedExample(
  WAREHOUSE_SECRET,
  '<webhook-id>.<webhook-timestamp>.<body>',
  'the signature is `v1,` and the Base64 of the HMAC-SHA256, with the decoded part of the secret after `whsec_`,',
  Object.entries(warehouseHeaders).map(([name, value]) => `${name}: ${value}`),
  warehouseBody,
);

export const stripeSignatureExample = workedExample(
  STRIPE_SECRET,
  '<t>.<body>',
  '`v1` is the hexadecimal HMAC-SHA256, with the whole secret,',
  [`Stripe-Signature: ${stripeSignature}`],
  stripeBody,
);
