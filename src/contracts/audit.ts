import { BULK_ACTION_TYPES } from './bulk-actions.ts';

/** What an operator can do to one thing. A name ends with what it acts on: the audit links to it by that. See `operate/`. */
export const OPERATOR_ACTIONS = [
  'retry_failure',
  'cancel_failure',
  'settle_failure',
  'reset_failure',
  'fix_failure',
  'requeue_failure',
  'approve_order',
  'reject_order',
  'cancel_order',
  'restart_order',
  'pause_bulk_action',
  'resume_bulk_action',
  'cancel_bulk_action',
  'pause_schedule',
  'resume_schedule',
  'run_schedule',
  'backfill_schedule',
] as const satisfies `${string}_${'failure' | 'order' | 'bulk_action' | 'schedule'}`[];
export type OperatorActionName = (typeof OPERATOR_ACTIONS)[number];

/** Not what somebody did to a thing. */
export const SIGN_IN_ACTIONS = ['sign_in', 'sign_out'] as const;

/** Everything that the audit records. */
export const AUDITED_ACTIONS = [
  ...OPERATOR_ACTIONS,
  ...BULK_ACTION_TYPES.map((type) => `bulk_${type}` as const),
  'create_api_key',
  'rotate_api_key',
  'revoke_api_key',
  'erase_person',
  'export_list',
  ...SIGN_IN_ACTIONS,
] as const;
export type AuditedAction = (typeof AUDITED_ACTIONS)[number];
