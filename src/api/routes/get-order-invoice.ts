import { createRoute, z } from '@hono/zod-openapi';
import { and, eq } from 'drizzle-orm';
import { invoices, orders } from '../../db/schema.ts';
import { notFound } from '../../intake/errors.ts';
import { allow, ANYONE } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { header, idParams } from '../schemas/common.ts';
import { mayRead } from '../views/order.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/invoice',
  tags: ['Orders'],
  summary: 'The invoice of an order',
  ...allow(ANYONE),
  request: { params: idParams },
  responses: {
    200: {
      description: 'The invoice',
      headers: { 'Content-Disposition': header('Its file name') },
      content: { 'application/pdf': { schema: z.string().openapi({ format: 'binary' }) } },
    },
    ...problems('unauthenticated', 'not_found', ...COMMON),
  },
});

export const getOrderInvoice = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const [invoice] = await db
      .select({ number: invoices.number, pdf: invoices.pdf })
      .from(invoices)
      .innerJoin(orders, and(eq(orders.id, invoices.orderId), eq(orders.generation, invoices.generation)))
      .where(and(eq(orders.id, c.req.valid('param').id), mayRead(c.var.caller)));
    if (!invoice) throw notFound('invoice');
    return c.body(Uint8Array.from(invoice.pdf), 200, {
      'Content-Type': 'application/pdf',
      'Content-Disposition': `inline; filename="invoice-${String(invoice.number).padStart(6, '0')}.pdf"`,
    });
  });
