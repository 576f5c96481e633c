import { and, eq, gt, sql } from 'drizzle-orm';
import { FINAL_ORDER_STATUSES, FINAL_SIGNUP_STATUSES } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { bulkActions, commands, orders, signups } from '../db/schema.ts';
import { targetWorkflowId, type Command } from '../records/commands.ts';

/**
 * Decides about a command whose run has ended. What a customer or the carrier said must not be lost while its order is
 * live: its run ended because of a bug, and gets the command once it was reset.
 * @param id of the command
 * @returns whether nobody will need it: its subject has ended, or an operator sees at once that it was in vain
 */
export async function isNeedless(db: Database, id: number, command: Command): Promise<boolean> {
  switch (command.type) {
    case 'cancel_order':
    case 'decide_approval':
    case 'update_shipment':
      return (await hasOrderEnded(db, command.orderId)) || (await isRestarted(db, id, command));
    case 'verify_signup':
    case 'subscribe_signup': {
      const [signup] = await db.select({ status: signups.status }).from(signups).where(eq(signups.id, command.signupId));
      return !signup || FINAL_SIGNUP_STATUSES.includes(signup.status);
    }
    case 'wake_bulk_action': {
      const [found] = await db.select({ state: bulkActions.state }).from(bulkActions).where(eq(bulkActions.id, command.bulkActionId));
      return found?.state !== 'running' && found?.state !== 'paused';
    }
    // Their failure is opened again, so an operator can decide again.
    case 'resolve_failure':
    case 'settle_compensation':
    case 'reset_run':
    // These never meet a run that has ended.
    case 'start_order':
    case 'start_signup':
    case 'start_bulk_action':
    case 'refund_again':
    case 'resend_email':
    case 'watch_alert_group':
      return true;
  }
}

async function hasOrderEnded(db: Database, orderId: string): Promise<boolean> {
  const [order] = await db.select({ status: orders.status }).from(orders).where(eq(orders.id, orderId));
  return !order || FINAL_ORDER_STATUSES.includes(order.status);
}

/** Only an order that has ended can be restarted. What was asked before that was asked of the earlier generation. */
async function isRestarted(db: Database, id: number, command: Command): Promise<boolean> {
  const restarts = and(
    eq(commands.workflowId, targetWorkflowId(command)),
    gt(commands.id, id),
    eq(sql`${commands.body} ->> 'type'`, 'start_order'),
  );
  return (await db.$count(commands, restarts)) > 0;
}
