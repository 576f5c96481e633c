import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../../contracts/caller.ts';
import { email, reason } from '../../../contracts/fields.ts';
import { erasePerson as erase } from '../../../operate/people.ts';
import { keyed } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { json, jsonBody } from '../../schemas/common.ts';

const requestSchema = z.strictObject({ email, reason }).openapi('ErasureRequest');

const erasureSchema = z
  .strictObject({
    id: z.uuid().openapi({ description: 'Names this erasure in the audit' }),
    orders: z.int().openapi({ description: 'How many were erased' }),
    invoices: z.int().openapi({ description: 'Of these orders: how many invoices keep the name and address of their recipient' }),
    signups: z.int().openapi({ description: 'How many were erased' }),
    remaining: z.int().openapi({ description: 'Orders and signups that are in progress, have just ended or need attention: erase again later' }),
  })
  .openapi('Erasure');

const route = createRoute({
  method: 'post',
  path: '/v1/ops/people/erasures',
  tags: ['Operations'],
  summary: "Erase a person's data",
  description:
    'Replaces it in orders, signups, records of emails and stored answers. Amounts, items and invoices stay. This cannot be undone. The payment provider, the warehouse and the mail server have copies of their own.',
  ...keyed('erasePerson'),
  request: { body: jsonBody(requestSchema, { erase: { email: 'ada@example.com', reason: 'Her request of 24 November.' } }) },
  responses: {
    200: { description: 'Erased', content: json(erasureSchema, { erased: { id: '0197d0a1-52c4-7e0f-8a6b-d13c5f7e9b21', orders: 3, invoices: 2, signups: 1, remaining: 0 } }) },
    ...problems('unauthenticated', 'forbidden', ...WITH_BODY),
  },
});

export const erasePerson = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const { email: address, reason: why } = c.req.valid('json');
    return c.json(await erase(db, address, { reason: why, actor: actorOf(c.var.caller) }), 200);
  });
