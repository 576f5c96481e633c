import { z } from 'zod';

const text = z.string().min(1).max(200);
const items = z.array(z.strictObject({ sku: text, quantity: z.int().positive() })).min(1);

/** The body of `POST /v1/shipments`. `country` is an ISO 3166 alpha-2 code. */
export const shipmentRequestSchema = z.strictObject({
  reference: text,
  recipient: z.strictObject({ name: text, line1: text, city: text, postalCode: text, country: z.string().length(2) }),
  items,
});

export type ShipmentRequest = z.infer<typeof shipmentRequestSchema>;

/** The query of `GET /v1/shipments`: a page of those accepted in a span of time, until just before its end, the latest first. */
export const listSchema = z.strictObject({
  acceptedFrom: z.iso.datetime().optional(),
  acceptedUntil: z.iso.datetime().optional(),
  /** The reference of the last shipment of the page before. */
  startingAfter: text.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

const shipmentSchema = z.object({
  id: z.string(),
  reference: z.string(),
  state: z.enum(['accepted', 'cancelled', 'shipped', 'delivered', 'rejected']),
  recipient: shipmentRequestSchema.shape.recipient,
  items,
  acceptedAt: z.iso.datetime(),
  carrier: z.string().nullable(),
  trackingNumber: z.string().nullable(),
  shippedAt: z.iso.datetime().nullable(),
  deliveredAt: z.iso.datetime().nullable(),
  reason: z.string().nullable(),
});

/** A shipment that was accepted. Times are ISO 8601 UTC. */
export type Shipment = z.infer<typeof shipmentSchema>;

const fact = { reference: z.string(), idempotencyKey: z.string().nullable() };

/** An entry of the warehouse's ledger. A cancellation without `object` is a tombstone: no shipment had this reference. */
export const warehouseEntrySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.enum(['shipment.accepted', 'shipment.shipped', 'shipment.delivered', 'shipment.rejected']),
    ...fact,
    items,
    object: shipmentSchema,
  }),
  z.object({ type: z.literal('shipment.cancelled'), ...fact, items: items.nullable(), object: shipmentSchema.nullable() }),
]);

export type WarehouseEntry = z.infer<typeof warehouseEntrySchema>;

/** What can happen to an accepted shipment. Each sends a webhook `shipment.<progress>`. */
export const progresses = ['shipped', 'delivered', 'rejected'] as const;
export type Progress = (typeof progresses)[number];
