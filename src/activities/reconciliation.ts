import { heartbeat } from '@temporalio/activity';
import type { BookCheckRequest, BookCheckResult, BookPosition } from '../contracts/books.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

export type ReconciliationActivities = ReturnType<typeof createReconciliationActivities>;

/** Compares Postgres with Temporal, the payment provider and the warehouse. See `reconcile/`. */
export function createReconciliationActivities(reconciler: Reconciler) {
  return {
    /** Does a part of a check. @param position where the part before ended */
    compareBooks: (
      request: BookCheckRequest,
      position?: BookPosition,
    ): Promise<{ next: BookPosition } | { result: BookCheckResult }> => reconciler.compare(request, position, () => heartbeat()),

    recordUncheckedBooks: (request: BookCheckRequest, error: string): Promise<void> =>
      reconciler.recordUnchecked(request, error),
  };
}
