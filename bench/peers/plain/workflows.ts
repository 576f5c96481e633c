import { condition, defineSignal, log, proxyActivities, setHandler } from '@temporalio/workflow';
import type { Steps } from '../steps.ts';

const steps = proxyActivities<Steps>({
  startToCloseTimeout: '1 minute',
  retry: { nonRetryableErrorTypes: ['out_of_stock', 'card_declined', 'invalid_address'] },
});

/** What the carrier reports: `shipment.shipped`, then `shipment.delivered`. */
export const carrierUpdate = defineSignal<[string]>('carrierUpdate');

/** One order, as https://github.com/temporalio/samples-typescript writes a saga. */
export async function order(orderId: string): Promise<void> {
  const compensations: (() => Promise<void>)[] = [];
  const news = new Set<string>();
  setHandler(carrierUpdate, (type) => {
    news.add(type);
  });

  try {
    compensations.unshift(() => steps.releaseStock(orderId));
    await steps.reserveStock(orderId);
    compensations.unshift(() => steps.refundPayment(orderId));
    await steps.chargePayment(orderId);
    await steps.sendEmail(orderId, 'order_confirmed');
    compensations.unshift(() => steps.cancelShipment(orderId));
    await steps.requestShipment(orderId);
    await steps.issueInvoice(orderId);
    await condition(() => news.has('shipment.shipped'));
    await steps.recordShipped(orderId);
    await steps.sendEmail(orderId, 'order_shipped');
    await condition(() => news.has('shipment.delivered'));
    await steps.completeOrder(orderId);
    await steps.sendEmail(orderId, 'order_delivered');
  } catch (error) {
    for (const compensate of compensations) {
      await compensate().catch((failure: unknown) => log.error('failed to compensate', { failure }));
    }
    await steps.failOrder(orderId);
    throw error;
  }
}
