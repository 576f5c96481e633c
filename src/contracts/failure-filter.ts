import { z } from 'zod';
import { id, instant, line } from './fields.ts';
import { FAILURE_KINDS, FAILURE_STATUSES } from './statuses.ts';

/** Selects failures. The same filter for the API, the page, the command line and bulk actions. */
export const failureFilterSchema = z.strictObject({
  kind: z.enum(FAILURE_KINDS).optional(),
  step: line(100).optional(),
  errorType: line(100).optional(),
  status: z.enum(FAILURE_STATUSES).optional(),
  orderId: id.optional(),
  /** The exact address, in any case. */
  customerEmail: z.email().optional(),
  /** First seen at or after, ISO 8601. */
  from: instant.optional(),
  /** First seen before, ISO 8601. */
  to: instant.optional(),
  /** Part of the error message, the workflow id or the error type. */
  text: line(200).optional(),
});

export type FailureFilter = z.infer<typeof failureFilterSchema>;
