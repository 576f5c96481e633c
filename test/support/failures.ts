import { orderWorkflowId, type OrderRef } from '../../src/contracts/ids.ts';
import type { Database } from '../../src/db/client.ts';
import { transaction } from '../../src/db/transaction.ts';
import { openFailure, type FailureRef, type NewFailure } from '../../src/records/failures.ts';

/** Opens a failure of an order. By default its shipment has used up its retries, because the warehouse is down. */
export const openFailureOf = (db: Database, ref: OrderRef, changes: Partial<NewFailure> = {}): Promise<FailureRef> =>
  transaction(db, (tx) => openFailure(tx, failureOf(ref, changes)));

/** @returns what `openFailureOf` opens */
export const failureOf = (ref: OrderRef, changes: Partial<NewFailure> = {}): NewFailure => ({
  kind: 'step',
  workflowId: orderWorkflowId(ref.orderId),
  ...ref,
  step: 'ship',
  errorType: 'warehouse_unavailable',
  errorMessage: 'down',
  attempts: 4,
  ...changes,
});
