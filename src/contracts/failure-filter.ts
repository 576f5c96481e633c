import { z } from 'zod';
import { email, id, instant, line } from './fields.ts';
import { FAILURE_KINDS, FAILURE_STATUSES } from './statuses.ts';

/** Selects failures. The same filter for the API, the page, the command line and bulk actions. */
export const failureFilterSchema = z.strictObject({
  kind: z.enum(FAILURE_KINDS).optional(),
  step: line(100).optional(),
  errorType: line(100).optional(),
  status: z.enum(FAILURE_STATUSES).optional(),
  orderId: id.optional(),
  customerEmail: email.optional().meta({ description: 'The exact address, in any case' }),
  from: instant.optional().meta({ description: 'First seen at or after' }),
  to: instant.optional().meta({ description: 'First seen before' }),
  text: line(200).optional().meta({ description: 'Part of the error message, the workflow id or the error type' }),
});

export type FailureFilter = z.infer<typeof failureFilterSchema>;
