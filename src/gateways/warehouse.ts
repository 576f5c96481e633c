import { z } from 'zod';
import { whyNoAnswer } from '../contracts/connection-errors.ts';
import { parseJson } from '../contracts/json.ts';
import { invalidRequest, isTransient, noAnswer, parseRetryAfter, refused } from './errors.ts';

export interface ShipmentRequest {
  reference: string;
  recipient: { name: string; line1: string; city: string; postalCode: string; country: string };
  items: { sku: string; quantity: number }[];
}

const shipmentSchema = z.object({
  id: z.string(),
  reference: z.string(),
  state: z.enum(['accepted', 'cancelled', 'shipped', 'delivered', 'rejected']),
  acceptedAt: z.iso.datetime(),
});

/** A shipment as the warehouse knows it. Without an `id`, it was cancelled before its request arrived. */
export interface WarehouseShipment {
  id?: string;
  reference: string;
  state: z.infer<typeof shipmentSchema>['state'];
}

/** A page of shipments, the latest first. `after` asks for the one after it. */
export interface ShipmentPage {
  shipments: (WarehouseShipment & { acceptedAt: Date })[];
  after: string | undefined;
}

/** Errors: a refusal (`invalid_address`), `invalid_request`, `warehouse_unavailable`. */
export interface WarehouseGateway {
  /**
   * @returns the warehouse's id of the shipment, or why there will never be one under this key and reference: it has been
   * cancelled, or another request was accepted under it, for example with an earlier address
   */
  requestShipment(key: string, request: ShipmentRequest): Promise<{ id: string } | 'cancelled' | 'taken'>;
  /** Also cancels a shipment whose request has not arrived yet. @returns false if the parcel has left the warehouse */
  cancelShipment(reference: string): Promise<boolean>;
  /** @returns undefined if the warehouse does not know the reference */
  findShipment(reference: string): Promise<WarehouseShipment | undefined>;
  /** @returns a page of at most 100 shipments that were accepted in a span of time, until just before `until` */
  listShipments(accepted: { from: Date | undefined; until: Date }, after: string | undefined): Promise<ShipmentPage>;
}

const foundSchema = z.union([shipmentSchema, shipmentSchema.pick({ reference: true, state: true })]);
const pageSchema = z.object({ data: z.array(shipmentSchema), hasMore: z.boolean() });
const acceptedSchema = z.object({ id: z.string() });
const cancelledSchema = z.object({ state: z.literal('cancelled') });
/** The code becomes part of messages that are stored and shown, so free text in its place is left out. */
const errorSchema = z.object({ error: z.object({ code: z.string().regex(/^\w{1,64}$/) }) });

const unreadable = (status: number) => noAnswer('warehouse', `No answer from the warehouse (${status}, unreadable answer).`);

/** @param options `timeout` in ms for one request */
export function createWarehouseGateway(options: { url: string; apiKey: string; timeout?: number }): WarehouseGateway {
  const { url, apiKey, timeout = 8_000 } = options;

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  async function ask(path: string, request: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
    let response: Response;
    let text: string | undefined;
    try {
      response = await fetch(new URL(path, url), {
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${apiKey}` },
        signal: AbortSignal.timeout(timeout),
      });
      // A proxy in front of the warehouse answers in HTML, or not to the end: its status says enough.
      if (isTransient(response.status)) await response.body?.cancel();
      else text = await response.text();
    } catch (error) {
      throw noAnswer('warehouse', `No answer from the warehouse (${whyNoAnswer(error)}).`);
    }
    const { ok, status, headers } = response;
    if (text === undefined) {
      throw noAnswer('warehouse', `The warehouse is unavailable (${status}).`, parseRetryAfter(headers.get('retry-after')));
    }
    const answer = parseJson(text);
    if (answer === undefined) throw unreadable(status);
    return {
      ok,
      status,
      code: errorSchema.safeParse(answer).data?.error.code ?? '',
      /** @throws ApplicationFailure `warehouse_unavailable` if it is something else: then nobody knows what the warehouse did */
      read: <Content>(schema: z.ZodType<Content>): Content => {
        const { data } = schema.safeParse(answer);
        if (data === undefined) throw unreadable(status);
        return data;
      },
    };
  }

  return {
    async requestShipment(key, request) {
      const { ok, status, code, read } = await post('/v1/shipments', request, { 'idempotency-key': key });
      if (ok) return read(acceptedSchema);
      if (code === 'shipment_cancelled') return 'cancelled';
      if (code === 'idempotency_conflict') return 'taken';
      if (code === 'invalid_address') throw refused('invalid_address', 'The warehouse cannot deliver to this address.');
      throw invalidRequest(`The warehouse rejected the request (${status} ${code}).`);
    },
    async cancelShipment(reference) {
      const { ok, status, code, read } = await post(`/v1/shipments/${encodeURIComponent(reference)}/cancellation`, {});
      if (ok) {
        read(cancelledSchema);
        return true;
      }
      if (code === 'already_shipped') return false;
      throw invalidRequest(`The warehouse rejected the cancellation (${status} ${code}).`);
    },
    async findShipment(reference) {
      const { ok, status, code, read } = await ask(`/v1/shipments/${encodeURIComponent(reference)}`);
      if (ok) return read(foundSchema);
      if (status === 404) {
        // A proxy that has lost its route would otherwise make every parcel look lost.
        if (code === '') throw unreadable(status);
        return undefined;
      }
      throw invalidRequest(`The warehouse rejected the request (${status} ${code}).`);
    },
    async listShipments({ from, until }, after) {
      const query = new URLSearchParams({
        limit: '100',
        acceptedUntil: until.toISOString(),
        ...(from && { acceptedFrom: from.toISOString() }),
        ...(after === undefined ? {} : { startingAfter: after }),
      });
      const { ok, status, code, read } = await ask(`/v1/shipments?${query.toString()}`);
      if (!ok) throw invalidRequest(`The warehouse rejected the request (${status} ${code}).`);
      const { data, hasMore } = read(pageSchema);
      return {
        shipments: data.map(({ acceptedAt, ...shipment }) => ({ ...shipment, acceptedAt: new Date(acceptedAt) })),
        after: hasMore ? data.at(-1)?.reference : undefined,
      };
    },
  };
}
