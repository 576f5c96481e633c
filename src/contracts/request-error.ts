/** Why a request is refused. The API maps each to a problem type; page and command line show the message. */
export type RequestErrorType =
  | 'not_found'
  | 'idempotency_key_reused'
  | 'unknown_product'
  | 'duplicate_item'
  | 'mixed_currencies'
  | 'total_too_large'
  | 'order_not_cancellable'
  | 'approval_not_awaited'
  | 'own_order'
  | 'email_taken'
  | 'invalid_token'
  | 'signup_expired'
  | 'signup_not_on_trial'
  | 'failure_not_open'
  | 'order_not_failed'
  | 'money_unsettled'
  | 'person_erased'
  | 'bulk_action_not_running'
  | 'fix_not_certain'
  | 'already_requested'
  | 'refund_unknown';

/** A request that the present state refuses. The message may be shown to the caller. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly type: RequestErrorType;
  /** The field at fault, as a JSON Pointer (RFC 6901) into the request body. */
  readonly pointer: string | undefined;

  constructor(type: RequestErrorType, message: string, pointer?: string) {
    super(message);
    this.type = type;
    this.pointer = pointer;
  }
}

/** @returns the error for something that does not exist or is not the caller's. The two must look the same. */
export const notFound = (what: string): RequestError => new RequestError('not_found', `No ${what} with this id.`);
