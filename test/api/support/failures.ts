import type { FailureKind } from '../../../src/contracts/statuses.ts';
import { openFailure, type NewFailure } from '../../../src/records/failures.ts';
import { placeOrder, type TestApi } from './api.ts';

/** Places an order and opens a failure of it: by default it is parked on its shipment. */
export async function openOrderFailure(
  api: TestApi,
  { kind = 'step', ...details }: Partial<NewFailure> & { kind?: FailureKind } = {},
): Promise<{ orderId: string; failureId: string }> {
  const orderId = await placeOrder(api);
  const { failureId } = await api.db.transaction((tx) =>
    openFailure(tx, {
      kind,
      workflowId: `order/${orderId}`,
      runId: 'run-1',
      orderId,
      generation: 1,
      step: 'ship',
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
      attempts: 4,
      ...details,
    }),
  );
  return { orderId, failureId };
}
