import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { Shared } from '../simulator.ts';
import type { WebhookEntry } from '../webhooks.ts';
import type { listSchema, Progress, Shipment, ShipmentRequest, WarehouseEntry } from './shipments.ts';

/** An error that the warehouse answers a request with. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: 400 | 401 | 404 | 409 | 422;
  readonly code: string;

  constructor(status: Refusal['status'], code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** How long a shipment waits for its next step, in milliseconds. `undefined`: until moved by hand. */
export type Pace = { shipAfterMs?: number | undefined; deliverAfterMs?: number | undefined };

/** The warehouse's rules. Its state is rebuilt from its ledger. */
export class Warehouse {
  readonly #shipments = new Map<string, Shipment>();
  readonly #tombstones = new Set<string>();
  readonly #referenceByKey = new Map<string, string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #pace: Pace;
  readonly #sendsWebhooks: boolean;
  #ledger: Shared<WarehouseEntry>['ledger'] | undefined;

  constructor(pace: Pace, sendsWebhooks: boolean) {
    this.#pace = pace;
    this.#sendsWebhooks = sendsWebhooks;
  }

  /** Applies a ledger entry to the state. */
  apply(entry: WarehouseEntry): void {
    if (entry.object === null) this.#tombstones.add(entry.reference);
    else this.#shipments.set(entry.reference, entry.object);
    if (entry.type === 'shipment.accepted' && entry.idempotencyKey !== null) {
      this.#referenceByKey.set(entry.idempotencyKey, entry.reference);
    }
    if (this.#ledger) this.#scheduleNext(entry.reference);
  }

  /** Starts to move shipments, until `signal` aborts. What came due while the simulator was down happens at once. */
  start(ledger: Shared<WarehouseEntry>['ledger'], signal: AbortSignal): void {
    this.#ledger = ledger;
    for (const reference of this.#shipments.keys()) this.#scheduleNext(reference);
    signal.addEventListener('abort', () => {
      for (const timer of this.#timers.values()) clearTimeout(timer);
      this.#ledger = undefined;
    });
  }

  /**
   * Accepts a shipment: one per reference, whatever the key. A key is remembered only if its shipment was accepted.
   * @throws Refusal 409 `idempotency_conflict`, 409 `shipment_cancelled`, 422 `invalid_address`
   */
  accept(request: ShipmentRequest, idempotencyKey: string): { shipment: Shipment; replayed: boolean } {
    const { reference, recipient, items } = request;
    const known = this.#shipments.get(this.#referenceByKey.get(idempotencyKey) ?? reference);
    if (known && !isDeepStrictEqual(request, { reference: known.reference, recipient: known.recipient, items: known.items })) {
      throw new Refusal(409, 'idempotency_conflict', 'This key or reference was already used with another body.');
    }
    if (this.#tombstones.has(reference) || known?.state === 'cancelled') {
      throw new Refusal(409, 'shipment_cancelled', 'The shipment with this reference was cancelled.');
    }
    if (known) return { shipment: known, replayed: true };
    if (recipient.postalCode === '00000' || recipient.country === 'XX') {
      throw new Refusal(422, 'invalid_address', 'The carrier does not deliver to this address.');
    }
    const shipment: Shipment = {
      id: `shp_${randomUUID()}`,
      reference,
      state: 'accepted',
      recipient,
      items,
      acceptedAt: new Date().toISOString(),
      carrier: null,
      trackingNumber: null,
      shippedAt: null,
      deliveredAt: null,
      reason: null,
    };
    this.#append({ type: 'shipment.accepted', reference, idempotencyKey, items, object: shipment });
    return { shipment, replayed: false };
  }

  /**
   * Cancels a shipment. Repeating this changes nothing. An unknown reference can then no longer be used for a shipment.
   * @throws Refusal 409 `already_shipped`
   */
  cancel(reference: string): void {
    const shipment = this.#shipments.get(reference);
    if (shipment?.state === 'shipped' || shipment?.state === 'delivered') {
      throw new Refusal(409, 'already_shipped', 'The parcel has already left the warehouse.');
    }
    if (shipment?.state === 'cancelled' || this.#tombstones.has(reference)) return;
    this.#append({
      type: 'shipment.cancelled',
      reference,
      idempotencyKey: null,
      items: shipment?.items ?? null,
      object: shipment ? { ...shipment, state: 'cancelled' } : null,
    });
  }

  /** @returns a page of shipments, the latest first */
  list({ acceptedFrom, acceptedUntil, startingAfter, limit }: z.output<typeof listSchema>): { data: Shipment[]; hasMore: boolean } {
    const matching = [...this.#shipments.values()]
      .filter(
        ({ acceptedAt }) =>
          (acceptedFrom === undefined || acceptedAt >= acceptedFrom) && (acceptedUntil === undefined || acceptedAt < acceptedUntil),
      )
      .toReversed();
    const start = startingAfter === undefined ? 0 : matching.findIndex(({ reference }) => reference === startingAfter) + 1;
    return { data: matching.slice(start, start + limit), hasMore: start + limit < matching.length };
  }

  /** @throws Refusal 404 `not_found` */
  find(reference: string): Shipment | { reference: string; state: 'cancelled' } {
    if (this.#tombstones.has(reference)) return { reference, state: 'cancelled' };
    return this.#known(reference);
  }

  /**
   * Ships, delivers or rejects a shipment and queues its webhook.
   * @throws Refusal 404 `not_found`, 409 `invalid_state`
   */
  progress(reference: string, progress: Progress): Shipment {
    const shipment = this.#known(reference);
    const from = progress === 'delivered' ? 'shipped' : 'accepted';
    if (shipment.state !== from) {
      throw new Refusal(409, 'invalid_state', `The shipment is ${shipment.state}. Only a shipment that is ${from} can be ${progress}.`);
    }
    const at = new Date().toISOString();
    const moved: Shipment = { ...shipment, state: progress, ...changes[progress](at) };
    const { carrier, trackingNumber, reason, items } = moved;
    const data = { reference, carrier, trackingNumber, ...(reason !== null && { reason }) };
    const payload = JSON.stringify({ type: `shipment.${progress}`, timestamp: at, data });
    this.#append(
      { type: `shipment.${progress}`, reference, idempotencyKey: null, items, object: moved },
      ...(this.#sendsWebhooks ? [{ type: 'webhook.queued' as const, id: `msg_${randomUUID()}`, payload }] : []),
    );
    return moved;
  }

  #known(reference: string): Shipment {
    const shipment = this.#shipments.get(reference);
    if (!shipment) throw new Refusal(404, 'not_found', 'No shipment with this reference.');
    return shipment;
  }

  #append(...entries: (WarehouseEntry | WebhookEntry)[]): void {
    if (!this.#ledger) throw new Error('The warehouse is closed.');
    this.#ledger.append(...entries);
  }

  #scheduleNext(reference: string): void {
    clearTimeout(this.#timers.get(reference));
    this.#timers.delete(reference);
    const shipment = this.#shipments.get(reference);
    const next = shipment && dueOf(shipment, this.#pace);
    if (!next) return;
    const timer = setTimeout(() => this.progress(reference, next.progress), Math.max(0, next.at - Date.now()));
    this.#timers.set(reference, timer);
  }
}

const changes: Record<Progress, (at: string) => Partial<Shipment>> = {
  shipped: (at) => ({ shippedAt: at, carrier: 'Sandbox Parcel', trackingNumber: `SBX${randomUUID().slice(0, 8).toUpperCase()}` }),
  delivered: (at) => ({ deliveredAt: at }),
  rejected: () => ({ reason: 'The warehouse could not fulfil the shipment.' }),
};

function dueOf(shipment: Shipment, { shipAfterMs, deliverAfterMs }: Pace): { progress: Progress; at: number } | undefined {
  if (shipment.state === 'accepted' && shipAfterMs !== undefined) {
    return { progress: 'shipped', at: Date.parse(shipment.acceptedAt) + shipAfterMs };
  }
  if (shipment.state === 'shipped' && shipment.shippedAt !== null && deliverAfterMs !== undefined) {
    return { progress: 'delivered', at: Date.parse(shipment.shippedAt) + deliverAfterMs };
  }
  return undefined;
}
