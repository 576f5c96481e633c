import type { z } from '@hono/zod-openapi';
import type { OrderView } from '../../views/order.ts';
import type { sagaStepSchema } from '../../views/story.ts';
import { links, ORDER_ID } from './ids.ts';

const ADA = { email: 'ada@example.com', name: 'Ada Lovelace' };
const LONDON = { line1: 'St James Square 12', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' };

export const newOrder = {
  customer: ADA,
  shippingAddress: LONDON,
  items: [
    { sku: 'TEA-EARL-GREY', quantity: 2 },
    { sku: 'CUP-PORCELAIN', quantity: 1 },
  ],
  payment: { method: 'pm_card_visa' },
};

/** Just accepted: nothing has happened to it yet. */
export const acceptedOrder: OrderView = {
  id: ORDER_ID,
  status: 'accepted',
  total: { amount: 3680, currency: 'EUR' },
  items: [
    { sku: 'TEA-EARL-GREY', name: 'Earl Grey, 100 g', quantity: 2, unitPrice: { amount: 890, currency: 'EUR' } },
    { sku: 'CUP-PORCELAIN', name: 'Porcelain cup', quantity: 1, unitPrice: { amount: 1900, currency: 'EUR' } },
  ],
  customer: ADA,
  shippingAddress: LONDON,
  payment: null,
  shipment: null,
  invoice: null,
  failure: null,
  cancellation: null,
  generation: 1,
  createdAt: '2026-11-24T08:15:00.120Z',
  updatedAt: '2026-11-24T08:15:00.120Z',
  links: links.order(ORDER_ID),
};

/** On its way to the customer. */
export const shippedOrder: OrderView = {
  ...acceptedOrder,
  status: 'shipped',
  payment: { status: 'captured', captured: 3680, refunded: 0, currency: 'EUR', capturedAt: '2026-11-24T08:15:01.480Z' },
  shipment: {
    status: 'shipped',
    carrier: 'DHL',
    trackingNumber: '00340434161094042557',
    acceptedAt: '2026-11-24T08:15:02.010Z',
    shippedAt: '2026-11-24T14:02:44.000Z',
    deliveredAt: null,
  },
  invoice: { number: 42, href: links.order(ORDER_ID).invoice, voidedAt: null },
  updatedAt: '2026-11-24T14:02:44.310Z',
};

/** Waits for support to approve it. */
export const unapprovedOrder: OrderView = { ...acceptedOrder, status: 'awaiting_approval', updatedAt: '2026-11-24T08:15:00.640Z' };

/** The warehouse is asked whether its parcel can still be stopped. */
export const orderUnderCancellation: OrderView = {
  ...shippedOrder,
  status: 'fulfilling',
  shipment: null,
  cancellation: { status: 'requested', reason: 'It would arrive too late.', requestedAt: '2026-11-24T08:20:00.000Z', settledAt: null },
  updatedAt: '2026-11-24T08:15:02.010Z',
};

/** Blocked by a service that does not answer. */
export const parkedOrder: OrderView = {
  ...shippedOrder,
  status: 'needs_attention',
  shipment: null,
  updatedAt: '2026-11-24T08:15:02.010Z',
  failure: { type: 'warehouse_unavailable', message: 'The warehouse answered 503.', step: 'ship' },
};

/** Starts again, after its first generation failed. */
export const restartedOrder: OrderView = { ...acceptedOrder, generation: 2, updatedAt: '2026-11-25T09:30:00.000Z' };

const WORKER = '2481@worker-1';

export const sagaSteps: z.infer<typeof sagaStepSchema>[] = [
  {
    step: 'reserve',
    kind: 'step',
    state: 'done',
    attempts: 1,
    error: null,
    startedAt: '2026-11-24T08:15:00.300Z',
    finishedAt: '2026-11-24T08:15:00.340Z',
    generation: 1,
    events: [{ attempt: 1, type: 'done', at: '2026-11-24T08:15:00.340Z', durationMs: 6, error: null, worker: WORKER }],
  },
  {
    step: 'charge',
    kind: 'step',
    state: 'retrying',
    attempts: 2,
    error: { type: 'payment_unavailable', message: 'The payment provider answered 500.' },
    startedAt: '2026-11-24T08:15:00.400Z',
    finishedAt: null,
    generation: 1,
    events: [
      { attempt: 1, type: 'started', at: '2026-11-24T08:15:00.400Z', durationMs: null, error: null, worker: WORKER },
      {
        attempt: 1,
        type: 'failed',
        at: '2026-11-24T08:15:00.620Z',
        durationMs: 218,
        error: { type: 'payment_unavailable', message: 'The payment provider answered 500.' },
        worker: WORKER,
      },
      { attempt: 2, type: 'started', at: '2026-11-24T08:15:01.540Z', durationMs: null, error: null, worker: WORKER },
    ],
  },
];

export const orderEvents = [
  `id: 101\nevent: status\ndata: {"status":"accepted","generation":1,"at":"2026-11-24T08:15:00.120Z"}\n\n`,
  `id: 102\nevent: status\ndata: {"status":"reserved","generation":1,"at":"2026-11-24T08:15:00.340Z"}\n\n`,
  `id: 103\nevent: cancellation\ndata: {"cancellation":{"status":"requested","reason":"It would arrive too late.","requestedAt":"2026-11-24T08:15:00.360Z","settledAt":null},"generation":1,"at":"2026-11-24T08:15:00.360Z"}\n\n`,
].join('');
