import type { Hono } from 'hono';
import { z } from 'zod';
import { requestCancel, requestReset, requestRetry, requestSettlement } from '../../../intake/failure-actions.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { pathId, perform, reasonField, reasonForm } from '../respond.tsx';

const line = z.string().trim().min(1).max(200);
const addressForm = z.object({
  reason: reasonField,
  line1: line,
  city: line,
  postalCode: line,
  country: z.string().trim().toUpperCase().regex(/^[A-Z]{2}$/, 'is a code of two letters'),
});
const resetForm = z.object({
  reason: reasonField,
  eventId: z.literal('').transform(() => undefined).or(z.coerce.number().int().positive()).optional(),
});

/** What can be done about one failure. Each is a form that says why. */
export function failureActions(app: Hono<PageEnv>, { db }: PageDependencies): void {
  app.post('/failures/:id/retry', (c) => {
    const id = pathId(c, 'failure');
    return perform(c, reasonForm, `/ops/failures/${id}`, async ({ reason }, instruct) => {
      await requestRetry(db, id, instruct(reason));
      return 'The step is tried again, with fresh retries.';
    });
  });

  app.post('/failures/:id/retry-with-address', (c) => {
    const id = pathId(c, 'failure');
    return perform(c, addressForm, `/ops/failures/${id}`, async ({ reason, ...shippingAddress }, instruct) => {
      await requestRetry(db, id, instruct(reason), { shippingAddress });
      return 'The step is tried again, with the corrected address.';
    });
  });

  app.post('/failures/:id/cancel', (c) => {
    const id = pathId(c, 'failure');
    return perform(c, reasonForm, `/ops/failures/${id}`, async ({ reason }, instruct) => {
      await requestCancel(db, id, instruct(reason));
      return 'The order gives up, and undoes what it did.';
    });
  });

  app.post('/failures/:id/settle', (c) => {
    const id = pathId(c, 'failure');
    return perform(c, reasonForm, `/ops/failures/${id}`, async ({ reason }, instruct) => {
      await requestSettlement(db, id, instruct(reason));
      return 'It counts as settled by hand.';
    });
  });

  app.post('/failures/:id/reset', (c) => {
    const id = pathId(c, 'failure');
    return perform(c, resetForm, `/ops/failures/${id}`, async ({ reason, eventId }, instruct) => {
      await requestReset(db, id, instruct(reason), eventId);
      return 'The run goes back to before it went wrong, and on from there with the code at hand.';
    });
  });
}
