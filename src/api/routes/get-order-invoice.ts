import { createRoute, z } from '@hono/zod-openapi';
import { readInvoice } from '../../queries/orders.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { idParams } from '../schemas/common.ts';
import { header } from '../schemas/header.ts';
import { formatInvoiceNumber, renderInvoice } from '../../views/invoice-pdf.ts';

const route = createRoute({
  method: 'get',
  path: '/v1/orders/{id}/invoice',
  tags: ['Orders'],
  summary: 'The invoice of an order',
  ...keyed('getOrderInvoice'),
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
    const invoice = await readInvoice(db, c.var.caller, c.req.valid('param').id);
    const pdf = invoice.pdf ?? (await renderInvoice(invoice));
    return c.body(Uint8Array.from(pdf), 200, {
      'Content-Type': 'application/pdf',
      'Content-Disposition': `inline; filename="invoice-${formatInvoiceNumber(invoice.number)}.pdf"`,
    });
  });
