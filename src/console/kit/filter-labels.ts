import type { FailureFilter } from '../../contracts/failure-filter.ts';

/** What the fields of a failure filter are called. */
export const FILTER_LABELS: Record<keyof FailureFilter, string> = {
  status: 'Status',
  kind: 'Kind',
  step: 'Step',
  errorType: 'Error',
  text: 'Text in the error',
  orderId: 'Order',
  customerEmail: "Customer's email",
  from: 'First seen from (UTC)',
  to: 'First seen before (UTC)',
};
