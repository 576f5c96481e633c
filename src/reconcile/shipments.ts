import { and, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { validate as isUuid } from 'uuid';
import { parseShipmentReference, shipmentReference, type OrderRef } from '../contracts/ids.ts';
import type { Database } from '../db/client.ts';
import { orders, sagaSteps, shipments } from '../db/schema.ts';
import type { WarehouseGateway, WarehouseShipment } from '../gateways/warehouse.ts';
import { isEndedBadly } from '../records/order-rows.ts';
import { PAGE, type Check, type Difference, type Source } from './check.ts';
import { listOrders } from './orders.ts';
import { isStepAtWork } from './order-state.ts';
import { createPace, inParallel } from './pace.ts';
import { nextPart, partOf } from './parts.ts';

/** A shipment as Postgres knows it: one of a generation of an order. Only the last is sent: the others were withdrawn. */
interface Ours extends Record<string, unknown> {
  orderId: string;
  generation: number;
  serial: number;
  state: ShipmentState | null;
  /** The step is being made or undone, or the warehouse is being asked about a cancellation. */
  isAtWork: boolean;
  isEndedBadly: boolean;
  /** The carrier's last message no longer changes anything. */
  isCompleted: boolean;
  /** A person has dealt with the parcel. */
  isSettled: boolean;
}

type ShipmentState = WarehouseShipment['state'];

/** The step that a shipment belongs to. It knows which of the shipments of its generation is the last. */
const IS_ITS_STEP = and(
  eq(sagaSteps.orderId, shipments.orderId),
  eq(sagaSteps.generation, shipments.generation),
  eq(sagaSteps.step, 'ship'),
  eq(sagaSteps.kind, 'step'),
);
const SHIPMENT_REF = {
  orderId: shipments.orderId,
  generation: shipments.generation,
  serial: sql<number>`coalesce(${sagaSteps.keySerial}, 1)`,
};

/** Where the parcel is. A rejected one is cancelled, too, when its order is undone. */
const PLACES: Record<ShipmentState, string> = {
  accepted: 'in the warehouse',
  shipped: 'with the carrier',
  delivered: 'delivered',
  rejected: 'not sent',
  cancelled: 'not sent',
};

const placeOf = (state: ShipmentState | null | undefined): string => (state ? PLACES[state] : 'not sent');

/** Every parcel is where Postgres says, and none is on its way for an order that has ended without success. */
export function warehouseShipments(db: Database, gateway: WarehouseGateway): Check {
  const pace = createPace();

  /** What the warehouse lists, and our shipments of the same time that it does not. */
  const fromWarehouse: Source = async (span, after) => {
    const part = partOf(span, after);
    await pace();
    const page = await gateway.listShipments(span, part.after);
    const range = part.until(page.after === undefined ? undefined : page.shipments.at(-1)?.acceptedAt);
    const listed = new Set(page.shipments.map(({ reference }) => reference));
    const ours = await readOurs(page.shipments.map(({ reference }) => reference));
    const suspects = page.shipments.filter((shipment) => differenceBetween(ours.get(shipment.reference), shipment) !== undefined);
    const accepted = await db
      .select(SHIPMENT_REF)
      .from(shipments)
      .leftJoin(sagaSteps, IS_ITS_STEP)
      .where(and(gte(shipments.acceptedAt, range.from), lt(shipments.acceptedAt, range.until)))
      .limit(MOST);
    const unlisted = accepted.map(shipmentReference).filter((reference) => !listed.has(reference));
    return {
      compared: page.shipments.length,
      suspects: [...new Set([...suspects.map(({ reference }) => reference), ...unlisted])],
      next: nextPart(page.after, range),
    };
  };

  /** The parcels of orders that have changed since the last check: they were accepted earlier. */
  const fromOrders: Source = async (span, after) => {
    if (span.from === undefined) return { compared: 0, suspects: [], next: undefined };
    const ids = await listOrders(db, span, after);
    const next = ids.length < PAGE ? undefined : ids.at(-1);
    const changed = await db
      .select(SHIPMENT_REF)
      .from(shipments)
      .innerJoin(orders, eq(orders.id, shipments.orderId))
      .leftJoin(sagaSteps, IS_ITS_STEP)
      .where(and(inArray(shipments.orderId, ids), isEndedBadly(shipments.generation), inArray(shipments.state, ['accepted', 'shipped', 'delivered'])));
    return { compared: ids.length, suspects: changed.map(shipmentReference), next };
  };

  async function readOurs(references: string[]): Promise<Map<string, Ours>> {
    const refs = references.flatMap((reference) => parseShipmentReference(reference) ?? []).filter(({ orderId }) => isUuid(orderId));
    if (refs.length === 0) return new Map();
    const asked = sql.join(
      refs.map(({ orderId, generation, serial }) => sql`(${orderId}::uuid, ${generation}::int, ${serial}::int)`),
      sql`, `,
    );
    const generation = sql.raw('asked.generation');
    const { rows } = await db.execute<Ours>(sql`
      select orders.id as "orderId", asked.generation, asked.serial,
        case when asked.serial = coalesce(shipping.key_serial, 1) then shipments.state end as state,
        ${isStepAtWork({ orderId: orders.id, generation }, 'ship')}
          or orders.cancellation_status is not distinct from 'requested' as "isAtWork",
        ${isEndedBadly(generation)} as "isEndedBadly",
        orders.status = 'completed' as "isCompleted",
        exists (
          select from saga_steps where saga_steps.order_id = orders.id and saga_steps.generation = asked.generation
            and step = 'ship' and kind = 'compensation' and result -> 'settled' is not null
        ) as "isSettled"
      from (values ${asked}) as asked (order_id, generation, serial)
      join orders on orders.id = asked.order_id
      left join shipments on shipments.order_id = orders.id and shipments.generation = asked.generation
      left join saga_steps as shipping on shipping.order_id = orders.id and shipping.generation = asked.generation
        and shipping.step = 'ship' and shipping.kind = 'step'`);
    return new Map(rows.map((row) => [shipmentReference(row), row]));
  }

  return {
    name: 'shipments',
    sources: [fromWarehouse, fromOrders],
    async compare(references) {
      const ours = await readOurs(references);
      const compared = await inParallel(references, async (reference) => {
        await pace();
        const our = ours.get(reference);
        const difference = differenceBetween(our, await gateway.findShipment(reference));
        const of = our && ({ orderId: our.orderId, generation: our.generation } satisfies OrderRef);
        return difference && { subject: reference, ...of, ...difference };
      });
      return compared.filter((difference) => difference !== undefined);
    },
  };
}

/** At most how many of ours are looked at for one page of theirs. More are missing only if the warehouse has lost everything. */
const MOST = 1_000;

function differenceBetween(
  ours: Ours | undefined,
  theirs: WarehouseShipment | undefined,
): Pick<Difference, 'what' | 'ours' | 'theirs'> | undefined {
  const place = placeOf(theirs?.state);
  if (!ours) return place === 'not sent' ? undefined : { what: 'shipment_unknown', ours: 'no order', theirs: place };
  if (ours.isAtWork || ours.isSettled) return undefined;
  if (ours.isEndedBadly && place !== 'not sent') {
    return { what: 'shipment_unexpected', ours: 'the order has ended, so nothing is sent', theirs: place };
  }
  const expected = placeOf(ours.state);
  const isLate = ours.isCompleted && expected === 'with the carrier' && place === 'delivered';
  if (expected === place || isLate) return undefined;
  return { what: theirs ? 'shipment_differs' : 'shipment_missing', ours: expected, theirs: theirs ? place : 'no shipment' };
}
