import type { NewFailure } from '../../../src/records/failures.ts';
import { openFailureOf } from '../../support/failures.ts';
import { placeOrder, type TestApi } from './api.ts';

/** Places an order and opens a failure of it: by default it is parked on its shipment. */
export async function openOrderFailure(api: TestApi, changes: Partial<NewFailure> = {}) {
  const orderId = await placeOrder(api);
  const { failureId } = await openFailureOf(api.db, { orderId, generation: 1 }, { runId: 'run-1', errorMessage: 'HTTP 503', ...changes });
  return { orderId, failureId };
}
