/** Why a request cannot be taken. The API maps each to a problem type. */
export type IntakeErrorType =
  | 'not_found'
  | 'idempotency_key_reused'
  | 'unknown_product'
  | 'duplicate_item'
  | 'mixed_currencies'
  | 'total_too_large'
  | 'order_not_cancellable'
  | 'approval_not_awaited'
  | 'email_taken'
  | 'invalid_token'
  | 'signup_expired'
  | 'signup_not_on_trial'
  | 'failure_not_open'
  | 'order_not_failed'
  | 'money_unsettled'
  | 'replay_not_running'
  | 'already_requested';

/** A request that the present state of the business refuses. The message may be shown to the caller. */
export class IntakeError extends Error {
  override name = 'IntakeError';
  readonly type: IntakeErrorType;
  /** The field at fault, as a JSON Pointer (RFC 6901) into the request body. */
  readonly pointer: string | undefined;

  constructor(type: IntakeErrorType, message: string, pointer?: string) {
    super(message);
    this.type = type;
    this.pointer = pointer;
  }
}

/** @returns the error for a thing that is not there, or not the caller's: the two must look the same. */
export const notFound = (what: string): IntakeError => new IntakeError('not_found', `There is no such ${what}.`);
