/** Every id that leaves a process is built here, so that no two places can disagree about one. */

/** One deliberate run through an order: the order and which fresh start of it (from 1). */
export interface OrderRef {
  orderId: string;
  generation: number;
}

/** @returns the workflow id of an order: the same for all its generations, so that two can never run at once. */
export const orderWorkflowId = (orderId: string): string => `order/${orderId}`;

/** @returns the workflow id of a signup. */
export const signupWorkflowId = (signupId: string): string => `signup/${signupId}`;

/** @returns the workflow id that looks after one group of like failures. */
export const alertWorkflowId = (group: string): string => `alert/${group}`;

/** @returns the workflow id of a bulk replay. */
export const replayWorkflowId = (replayId: string): string => `replay/${replayId}`;

/**
 * The idempotency key of a step. It comes from the business id, never from a run id or an attempt, so that it holds
 * across retries, worker death and reset.
 * @returns `order:<orderId>:<generation>:<step>`
 */
export const stepKey = ({ orderId, generation }: OrderRef, step: string): string =>
  `order:${orderId}:${generation}:${step}`;

/** @returns the name under which the warehouse knows the shipment of one generation of an order. */
export const shipmentReference = ({ orderId, generation }: OrderRef): string => `order:${orderId}:${generation}`;

const REFERENCE = /^order:([0-9a-f-]{36}):(\d{1,9})$/;

/** @returns the order behind a warehouse reference, or undefined when it is none of ours. */
export function parseShipmentReference(reference: string): OrderRef | undefined {
  const [, orderId, generation] = REFERENCE.exec(reference) ?? [];
  return orderId && generation ? { orderId, generation: Number(generation) } : undefined;
}
