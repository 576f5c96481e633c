import { createRoute, z } from '@hono/zod-openapi';
import { address, email, line, personName } from '../../contracts/fields.ts';
import { acceptOrder } from '../../intake/orders.ts';
import { acceptedOrderView, loadOrder, orderSchema } from '../../views/order.ts';
import { findCaller, keyed, whileAllowed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { problems, WITH_BODY } from '../errors.ts';
import { acceptedOrder, newOrder, shippedOrder } from '../examples/orders.ts';
import { json, jsonBody } from '../schemas/common.ts';
import { IDEMPOTENCY_REPLAYED, LOCATION, RETRY_AFTER } from '../schemas/header.ts';
import { acceptedHeaders, idempotencyHeader, idempotentRequest } from '../schemas/idempotency.ts';
import { PREFERENCE_HEADERS, preferHeader, preferredWait, preferenceApplied, waitUntilRest } from '../wait.ts';

export const newOrderSchema = z
  .strictObject({
    customer: z.strictObject({ email, name: personName }),
    shippingAddress: address,
    items: z
      .array(z.strictObject({ sku: line(200), quantity: z.int().min(1).max(1000) }))
      .min(1)
      .max(50),
    payment: z.strictObject({
      method: z.string().max(200).regex(/^pm_[A-Za-z0-9_]+$/, 'must be a payment method id such as pm_card_visa'),
    }),
  })
  .openapi('NewOrder');

const route = createRoute({
  method: 'post',
  path: '/v1/orders',
  tags: ['Orders'],
  summary: 'Place an order',
  description:
    'Answers once the order is stored. With `Prefer: wait=N`, a new order is answered once it is in the warehouse, waits for a person or has ended, or after N seconds.',
  ...keyed('createOrder'),
  parameters: [idempotencyHeader, preferHeader],
  request: { body: jsonBody(newOrderSchema, { teaAndCup: newOrder }) },
  responses: {
    202: {
      description: 'Accepted',
      headers: {
        Location: LOCATION,
        'Retry-After': RETRY_AFTER,
        'Idempotency-Replayed': IDEMPOTENCY_REPLAYED,
        ...PREFERENCE_HEADERS,
      },
      content: json(orderSchema, { accepted: acceptedOrder, afterWaiting: shippedOrder }),
    },
    ...problems(
      'invalid_idempotency_key',
      'unauthenticated',
      'idempotency_key_reused',
      'unknown_product',
      'duplicate_item',
      'mixed_currencies',
      'total_too_large',
      ...WITH_BODY,
    ),
  },
});

export const createOrder = (api: Api, deps: Dependencies) =>
  api.openapi(route, async (c) => {
    const { db, links } = deps;
    const order = c.req.valid('json');
    const accepted = await acceptOrder(db, c.get('caller'), { ...idempotentRequest(c, order), order });
    const headers = acceptedHeaders(accepted);
    const { id } = accepted.made;
    const seconds = accepted.repeated ? 0 : preferredWait(c.req.header('Prefer'));
    const answerAsAccepted = () => c.json(acceptedOrderView(accepted.made, links, c.get('caller')), 202, headers);
    if (seconds === 0) return answerAsAccepted();

    await whileAllowed(c, (signal) => waitUntilRest(deps, id, seconds, signal));
    // The key may have been revoked meanwhile. A refusal would say that the order was not placed.
    if (!(await findCaller(c))) return answerAsAccepted();
    const now = await loadOrder(db, links, c.get('caller'), id);
    return c.json(now, 202, { ...headers, ...preferenceApplied(seconds) });
  });
