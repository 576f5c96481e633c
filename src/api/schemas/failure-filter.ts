import { failureFilterSchema } from '../../contracts/failures.ts';
import { line } from './common.ts';

/** The shared filter, with words that Postgres can hold. */
export const failureFilter = failureFilterSchema.extend({
  step: line(100).optional(),
  errorType: line(100).optional(),
  text: line(200).optional(),
});
