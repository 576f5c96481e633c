import type { Hono } from 'hono';
import { z } from 'zod';
import { requestReplay } from '../../../intake/failure-actions.ts';
import { decideApproval, requestCancellation } from '../../../intake/orders.ts';
import { recordOperatorAction } from '../../../intake/audit.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { pathId, perform, reasonField, reasonForm } from '../respond.tsx';

const decisionForm = z.object({ reason: reasonField, decision: z.enum(['approve', 'reject']) });

/** What can be done about one order. Each is a form that says why. */
export function orderActions(app: Hono<PageEnv>, { db }: PageDependencies): void {
  app.post('/orders/:id/cancel', (c) => {
    const id = pathId(c, 'order');
    return perform(c, reasonForm, `/ops/orders/${id}`, async ({ reason }, instruct) => {
      await requestCancellation(db, c.var.caller, id, reason);
      await recordOperatorAction(db, instruct(reason), 'cancel_order', id);
      return 'The cancellation is asked for.';
    });
  });

  app.post('/orders/:id/decide', (c) => {
    const id = pathId(c, 'order');
    return perform(c, decisionForm, `/ops/orders/${id}`, async ({ reason, decision }, instruct) => {
      await decideApproval(db, c.var.caller, id, { decision, reason });
      await recordOperatorAction(db, instruct(reason), `${decision}_order`, id);
      return decision === 'approve' ? 'It is approved, and goes on.' : 'It is rejected.';
    });
  });

  app.post('/orders/:id/replay', (c) => {
    const id = pathId(c, 'order');
    return perform(c, reasonForm, `/ops/orders/${id}`, async ({ reason }, instruct) => {
      const { generation } = await requestReplay(db, id, instruct(reason));
      return `It starts anew, as generation ${generation}.`;
    });
  });
}
