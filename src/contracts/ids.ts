/** All ids that leave the process are built here, so that no two places can disagree about one. */

/** One generation of an order. Generations count from 1; restarting a failed order starts the next one. */
export interface OrderRef {
  orderId: string;
  generation: number;
}

/** @returns the number that people read of an order or a signup: the end of its id, because ids of one moment begin alike */
export const shortNumber = (id: string): string => id.slice(-8);

/** @returns the workflow id of an order. All generations share it, so two can never run at once. */
export const orderWorkflowId = (orderId: string): string => `order/${orderId}`;

/** @returns the workflow id of a signup. */
export const signupWorkflowId = (signupId: string): string => `signup/${signupId}`;

const ORDER_WORKFLOW = /^order\/([0-9a-f-]{36})$/;
const SIGNUP_WORKFLOW = /^signup\/([0-9a-f-]{36})$/;

/** @returns the order of a workflow, or undefined if it is not an order's */
export const orderIdOf = (workflowId: string): string | undefined => ORDER_WORKFLOW.exec(workflowId)?.[1];

/** @returns the signup of a workflow, or undefined if it is not a signup's */
export const signupIdOf = (workflowId: string): string | undefined => SIGNUP_WORKFLOW.exec(workflowId)?.[1];

/** @returns the id of the workflow that announces one group of similar failures. */
export const alertWorkflowId = (group: string): string => `alert/${group}`;

/** @returns the workflow id of a bulk action. The prefix is an older name that running workflows still use. */
export const bulkActionWorkflowId = (bulkActionId: string): string => `replay/${bulkActionId}`;

/** @returns the workflow id of a refund that an operator asked for again: one for each time */
export const refundWorkflowId = ({ failureId, occurrence }: { failureId: string; occurrence: number }): string =>
  `refund/${failureId}/${occurrence}`;

/** @returns the id of the workflow that sends an email again because an operator asked for it: one for each time */
export const resendWorkflowId = ({ failureId, occurrence }: { failureId: string; occurrence: number }): string =>
  `email/${failureId}/${occurrence}`;

/** An email that is about one thing. `occurrence` counts from 1, for emails that are sent more than once. */
export interface EmailRef {
  template: string;
  occurrence: number;
}

/** @returns the idempotency key of an email: the same each time it is sent, and so is its `Message-ID` */
export const emailKey = (about: OrderRef | { signupId: string }, { template, occurrence }: EmailRef): string =>
  'orderId' in about
    ? stepKey(about, `email:${template}:${occurrence}`)
    : `signup:${about.signupId}:email:${template}:${occurrence}`;

/**
 * The idempotency key of a step. It is built from the business id, never from a run id or an attempt, so that it stays
 * the same across retries, crashes and resets.
 * @returns `order:<orderId>:<generation>:<step>`
 */
export const stepKey = ({ orderId, generation }: OrderRef, step: string): string =>
  `order:${orderId}:${generation}:${step}`;

/** One shipment of a generation. `serial` counts them, from 1: there is a second only after the first was withdrawn. */
export interface ShipmentRef extends OrderRef {
  serial?: number;
}

/** @returns the reference that the warehouse knows a shipment by */
export const shipmentReference = ({ orderId, generation, serial = 1 }: ShipmentRef): string =>
  withSerial(`order:${orderId}:${generation}`, serial);

/** @returns a key or reference, under another name for each serial but the first */
export const withSerial = (key: string, serial: number): string => (serial === 1 ? key : `${key}:${serial}`);

const REFERENCE = /^order:([0-9a-f-]{36}):(\d{1,9})(?::(\d{1,9}))?$/i;

/** @returns the shipment behind a warehouse reference (in any case), or undefined if we did not create the reference. */
export function parseShipmentReference(reference: string): Required<ShipmentRef> | undefined {
  const [, orderId, generation, serial = 1] = REFERENCE.exec(reference) ?? [];
  return orderId && generation ? { orderId: orderId.toLowerCase(), generation: Number(generation), serial: Number(serial) } : undefined;
}
