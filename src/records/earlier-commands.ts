import { z } from 'zod';
import { orderWorkflowId } from '../contracts/ids.ts';

/** The types of commands as an earlier version stored them. */
const EARLIER_TYPES: Record<string, string> = {
  cancelOrder: 'cancel_order',
  decideApproval: 'decide_approval',
  resolveFailure: 'resolve_failure',
  settleCompensation: 'settle_compensation',
  carrierUpdate: 'update_shipment',
  verified: 'verify_signup',
  subscribed: 'subscribe_signup',
  start_replay: 'start_bulk_action',
  replayChanged: 'wake_bulk_action',
};

const earlierCommand = z.looseObject({
  type: z.string(),
  replayId: z.string().optional(),
  orderId: z.string().optional(),
  reason: z.string().optional(),
  message: z.looseObject({ reason: z.string().optional() }).optional(),
});

/**
 * Accepted commands outlive an upgrade: those that an earlier version stored are still delivered, without their reasons.
 * @returns a stored command in today's words
 */
export function inPresentWords(body: unknown): unknown {
  const { success, data } = earlierCommand.safeParse(body);
  if (!success) return body;
  const { type, replayId, message, orderId, reason: _reason, ...rest } = data;
  return {
    ...rest,
    ...(orderId !== undefined && (type === 'reset_run' ? { workflowId: orderWorkflowId(orderId) } : { orderId })),
    type: EARLIER_TYPES[type] ?? type,
    ...(replayId !== undefined && { bulkActionId: replayId }),
    ...(message && { message: withoutReason(message) }),
  };
}

const withoutReason = ({ reason: _reason, ...message }: Record<string, unknown>) => message;
