import { randomUUID } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import { expect } from 'vitest';
import { orderWorkflowId, shipmentReference } from '../../src/contracts/ids.ts';
import { RequestError } from '../../src/contracts/request-error.ts';
import { invoices, reservations, sagaSteps } from '../../src/db/schema.ts';
import type { NewOrder } from '../../src/intake/orders.ts';
import { recordCarrierWebhook } from '../../src/intake/webhooks.ts';
import type { OperatorAction } from '../../src/operate/action.ts';
import { isOf } from '../../src/records/order-rows.ts';
import { providerView } from '../support/audit.ts';
import type { Rig } from '../support/rig.ts';
import type { Answer, Condition, News, Wish } from './order-model.ts';

const WISHED: Record<Wish, Partial<NewOrder>> = {
  plain: {},
  dear: { items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] },
  'sold out': { items: [{ sku: 'TEA-GYOKURO-RARE', quantity: 1 }] },
  declined: { payment: { method: 'pm_card_visa_chargeDeclined' } },
  undeliverable: { shippingAddress: { line1: 'Lost Road 1', city: 'Nowhere', postalCode: '00000', country: 'GB' } },
};

const OPERATOR = 'key:operator';

/** Does with the real shop what a command says, and reads what became of it. */
export function createDriver(rig: Rig) {
  const services = { payments: rig.payments, warehouse: rig.warehouse };

  /** @returns `done`, or why it was refused */
  async function answerTo(request: Promise<unknown>): Promise<Answer> {
    try {
      await request;
      await rig.deliver();
      return 'done';
    } catch (error) {
      if (error instanceof RequestError) return error.type;
      throw error;
    }
  }

  /** Does something at a service by hand, which its faults do not affect. */
  async function byHand(service: keyof typeof services, work: () => Promise<unknown>): Promise<void> {
    const { faults } = services[service];
    const { current } = faults;
    faults.clear();
    await work();
    if (current) faults.set(current);
  }

  async function lastNews(orderId: string, generation: number) {
    const reference = shipmentReference({ orderId, generation });
    const entry = rig.warehouse.ledger().findLast((found) => 'reference' in found && found.reference === reference);
    return entry ? entry.type.replace('shipment.', '') : 'none';
  }

  return {
    place: (wish: Wish): Promise<string> => rig.placeOrder(WISHED[wish]),
    cancel: (orderId: string) => answerTo(rig.cancel(orderId)),
    act: (action: OperatorAction, target: string) => answerTo(action.perform(rig, target, { reason: 'as scripted' }, OPERATOR)),

    /** Undoes by hand what a compensation could not. */
    async undoByHand(orderId: string, generation: number, step: string): Promise<void> {
      if (step === 'ship') {
        await byHand('warehouse', () => rig.gateways.warehouse.cancelShipment(shipmentReference({ orderId, generation })));
      }
      if (step === 'charge') {
        const { charges, refunded } = providerView(rig, { orderId, generation });
        const [charge] = charges;
        if (!charge || refunded > 0) return;
        await byHand('payments', () => rig.gateways.payments.refund(`by-hand:${orderId}:${generation}`, charge.id, charge.amount));
      }
    },

    break(service: keyof typeof services, condition: Condition): void {
      const { faults } = services[service];
      if (condition === 'up') faults.clear();
      else if (condition === 'down') faults.set({ mode: 'error_before' });
      else if (service === 'warehouse') faults.set({ mode: 'drop_after_commit' });
      else faults.set({ mode: 'drop_after_commit', operation: 'POST /v1/payment_intents/:id/confirm' });
    },

    /** The warehouse or the carrier moves a parcel. */
    async moveParcel(orderId: string, generation: number, news: News): Promise<void> {
      const reference = encodeURIComponent(shipmentReference({ orderId, generation }));
      const response = await fetch(`${rig.warehouse.url}/_sandbox/shipments/${reference}/${news}`, { method: 'POST' });
      expect(response.status).toBe(200);
    },

    /** A webhook about a parcel arrives. */
    async receive({ orderId, generation, news, eventId }: { orderId: string; generation: number; news: News; eventId: string }) {
      await recordCarrierWebhook(rig.db, {
        eventId,
        type: `shipment.${news}`,
        data: { reference: shipmentReference({ orderId, generation }), carrier: 'Parcel Post', trackingNumber: 'PP1' },
      });
      await rig.deliver();
    },

    /** @returns the real order in the words of the model */
    async observe(orderId: string) {
      const { status, generation, failureType, amount, cancellationStatus } = await rig.order(orderId);
      const ref = { orderId, generation };
      const [{ ours, theirs }, failures, steps, kept, [invoice], parcel] = await Promise.all([
        rig.money(orderId),
        rig.failures(orderId),
        rig.db.select().from(sagaSteps).where(isOf(sagaSteps, ref)),
        rig.db.$count(reservations, and(eq(reservations.orderId, orderId), isNull(reservations.releasedAt))),
        rig.db.select().from(invoices).where(isOf(invoices, ref)),
        lastNews(orderId, generation),
      ]);
      return {
        status,
        generation,
        failureType,
        cancellation: cancellationStatus,
        paid: ours === theirs ? theirs / amount : { ours, theirs },
        charges: providerView(rig, ref).charges.length,
        reserved: kept > 0,
        parcel,
        invoice: invoice ? (invoice.voidedAt ? 'void' : 'valid') : 'none',
        saga: Object.fromEntries(steps.map(({ kind, step, state }) => [kind === 'step' ? step : `undo ${step}`, state])),
        failures: failures.map(({ kind, step, status: now }) => `${kind} ${step}: ${now}`),
      };
    },

    /** Waits until the run of an order that has ended is closed: its last emails are sent. */
    async closed(orderId: string): Promise<void> {
      const run = rig.client.workflow.getHandle(orderWorkflowId(orderId));
      // Not by its result: waiting for that skips time.
      await expect.poll(async () => (await run.describe()).status.name, { timeout: 30_000, interval: 10 }).not.toBe('RUNNING');
    },

    /** A new id for an event of the carrier. */
    newEventId: (): string => randomUUID(),
  };
}
