import { z } from '@hono/zod-openapi';
import { actorOf, type Caller } from '../contracts/caller.ts';
import { CANCELLATION_STATUSES } from '../contracts/statuses.ts';
import type { orders } from '../db/schema.ts';
import type { CancellationEvent } from '../queries/order-story.ts';
import type { CancellationRequest } from '../queries/orders.ts';
import { iso, time } from './common.ts';

export const cancellationSchema = z
  .strictObject({
    status: z.enum(CANCELLATION_STATUSES).openapi({
      description: '`done`: what was done for the order is undone. `refused`: the parcel had left the warehouse, and the order continues',
    }),
    reason: z.string().nullable().openapi({ description: 'Staff read any, customers their own' }),
    requestedAt: time,
    settledAt: time.nullable().openapi({ description: 'When it was done or refused' }),
  })
  .openapi('Cancellation');

export type CancellationView = z.infer<typeof cancellationSchema>;

type Order = Pick<
  typeof orders.$inferSelect,
  'cancellationStatus' | 'cancellationReason' | 'cancellationActor' | 'cancellationRequestedAt' | 'cancellationSettledAt'
>;

/** @returns the cancellation of an order as a caller may see it; null if nobody has requested it */
export function cancellationView(order: Order, caller: Caller): CancellationView | null {
  const { cancellationStatus: status, cancellationRequestedAt: requestedAt, cancellationSettledAt: settledAt } = order;
  if (!status || !requestedAt) return null;
  return { status, reason: cancellationReasonFor(caller, order), requestedAt: requestedAt.toISOString(), settledAt: iso(settledAt) };
}

/** @returns the cancellation of an order as it was at an event. @param all events of cancellations of the order */
export function cancellationAt(
  event: CancellationEvent,
  all: CancellationEvent[],
  request: CancellationRequest | undefined,
  caller: Caller,
): CancellationView {
  const { generation, cancellation: status, at } = event;
  const requested = all.find((other) => other.generation === generation && other.cancellation === 'requested') ?? event;
  return {
    status,
    reason: request?.generation === generation ? cancellationReasonFor(caller, request) : null,
    requestedAt: requested.at.toISOString(),
    settledAt: status === 'requested' ? null : at.toISOString(),
  };
}

/** Why staff cancel an order is not meant for its customer. */
const cancellationReasonFor = (caller: Caller, { cancellationReason, cancellationActor }: Omit<CancellationRequest, 'generation'>): string | null =>
  caller.role === 'customer' && cancellationActor !== actorOf(caller) ? null : cancellationReason;
