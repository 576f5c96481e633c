import { ApplicationFailure } from '@temporalio/activity';
import { v7 as uuid } from 'uuid';
import type { WorkerConfig } from '../../src/config.ts';
import { shipmentReference, stepKey } from '../../src/contracts/ids.ts';
import { createMailGateway } from '../../src/gateways/smtp.ts';
import { createPaymentGateway } from '../../src/gateways/stripe.ts';
import { createWarehouseGateway } from '../../src/gateways/warehouse.ts';
import type { Rows } from './rows.ts';

const SUBJECTS = {
  order_confirmed: 'We have received your order',
  order_shipped: 'Your order is on its way',
  order_delivered: 'Your order has arrived',
};

const key = (orderId: string, step: string): string => stepKey({ orderId, generation: 1 }, step);

export type Steps = ReturnType<typeof connectSteps>;

/** The steps of an order: each calls the service, then writes. A repeated one has the same key and meets its row. */
export function connectSteps(config: WorkerConfig, rows: Rows) {
  const payments = createPaymentGateway({ secretKey: config.STRIPE_SECRET_KEY, apiBase: config.STRIPE_API_BASE });
  const warehouse = createWarehouseGateway({ url: config.WAREHOUSE_URL, apiKey: config.WAREHOUSE_API_KEY });
  const mail = createMailGateway({ url: config.SMTP_URL, from: config.MAIL_FROM });

  return {
    async reserveStock(orderId: string): Promise<void> {
      const items = await rows.findItems(orderId);
      await rows.setStatus(orderId, 'reserved', async (client) => {
        for (const { sku, quantity } of items) {
          const { rowCount } = await client.query(
            'insert into reservations (order_id, generation, sku, quantity) values ($1, 1, $2, $3) on conflict do nothing',
            [orderId, sku, quantity],
          );
          if (rowCount === 0) continue;
          const taken = await client.query(
            'update stock set available = available - $2 where sku = $1 and available >= $2',
            [sku, quantity],
          );
          if (taken.rowCount === 0) throw ApplicationFailure.nonRetryable(`Not enough ${sku} in stock.`, 'out_of_stock');
        }
      });
    },

    async releaseStock(orderId: string): Promise<void> {
      await rows.transaction(async (client) => {
        const { rows: released } = await client.query<{ sku: string; quantity: number }>(
          'update reservations set released_at = now() where order_id = $1 and released_at is null returning sku, quantity',
          [orderId],
        );
        for (const { sku, quantity } of released) {
          await client.query('update stock set available = available + $2 where sku = $1', [sku, quantity]);
        }
      });
    },

    async chargePayment(orderId: string): Promise<void> {
      const { amount, currency, payment_method: method } = await rows.findOrder(orderId);
      const intent = await payments.createIntent(key(orderId, 'charge'), { amount, currency, method, metadata: { orderId } });
      const paid = await payments.confirmIntent(key(orderId, 'charge:confirm'), intent.id, method);
      await rows.setStatus(orderId, 'charged', (client) =>
        client.query(
          `insert into payments (id, order_id, generation, state, provider_payment_id, amount, currency, captured, captured_at)
          values ($1, $2, 1, 'captured', $3, $4, $5, $6, now()) on conflict (order_id, generation) do nothing`,
          [uuid(), orderId, paid.id, amount, currency, paid.received],
        ),
      );
    },

    async refundPayment(orderId: string): Promise<void> {
      await rows.transaction(async (client) => {
        const { rows: found } = await client.query<{ provider_payment_id: string; captured: number }>(
          'select provider_payment_id, captured from payments where order_id = $1 for update',
          [orderId],
        );
        if (!found[0]) return;
        await payments.refund(key(orderId, 'refund'), found[0].provider_payment_id, found[0].captured);
        await client.query("update payments set state = 'refunded', refunded = captured where order_id = $1", [orderId]);
      });
    },

    async requestShipment(orderId: string): Promise<void> {
      const order = await rows.findOrder(orderId);
      const { customer_name: name, line1, city, postal_code: postalCode, country } = order;
      const answer = await warehouse.requestShipment(key(orderId, 'ship'), {
        reference: shipmentReference({ orderId, generation: 1 }),
        recipient: { name, line1, city, postalCode, country },
        items: await rows.findItems(orderId),
      });
      if (typeof answer === 'string') throw ApplicationFailure.nonRetryable(`The shipment is ${answer}.`);
      await rows.setStatus(orderId, 'fulfilling', (client) =>
        client.query(
          "insert into shipments (order_id, generation, state, warehouse_id) values ($1, 1, 'accepted', $2) on conflict do nothing",
          [orderId, answer.id],
        ),
      );
    },

    async cancelShipment(orderId: string): Promise<void> {
      await warehouse.cancelShipment(shipmentReference({ orderId, generation: 1 }));
      await rows.query("update shipments set state = 'cancelled' where order_id = $1", [orderId]);
    },

    async issueInvoice(orderId: string): Promise<void> {
      const { amount, currency } = await rows.findOrder(orderId);
      await rows.transaction(async (client) => {
        const { rows: counter } = await client.query<{ number: number }>(
          'update invoice_counter set last_number = last_number + 1 returning last_number as number',
        );
        await client.query(
          'insert into invoices (number, order_id, generation, amount, currency) values ($1, $2, 1, $3, $4)',
          [counter[0]?.number, orderId, amount, currency],
        );
      });
    },

    async recordShipped(orderId: string): Promise<void> {
      await rows.setStatus(orderId, 'shipped', (client) =>
        client.query("update shipments set state = 'shipped', shipped_at = now() where order_id = $1", [orderId]),
      );
    },

    async completeOrder(orderId: string): Promise<void> {
      await rows.setStatus(orderId, 'completed', (client) =>
        client.query("update shipments set state = 'delivered', delivered_at = now() where order_id = $1", [orderId]),
      );
    },

    async failOrder(orderId: string): Promise<void> {
      await rows.setStatus(orderId, 'failed', async () => {});
    },

    async sendEmail(orderId: string, template: keyof typeof SUBJECTS): Promise<void> {
      const { customer_email: to, customer_name: name } = await rows.findOrder(orderId);
      const subject = SUBJECTS[template];
      const text = `Dear ${name},\n\n${subject}: ${orderId}.\n\nThank you for shopping with us.`;
      const emailKey = key(orderId, `email:${template}`);
      await mail.send({ key: emailKey, to, subject, text, html: `<p>${text.replaceAll('\n\n', '</p><p>')}</p>` });
      await rows.query(
        'insert into emails (key, template, recipient, subject, order_id) values ($1, $2, $3, $4, $5) on conflict do nothing',
        [emailKey, template, to, subject, orderId],
      );
    },
  };
}
