import { PROBLEMS, problemUri, type ProblemBody, type ProblemType } from '../errors.ts';
import { ORDER_ID } from './ids.ts';

/** What each problem may say in detail. */
const DETAILS: Record<ProblemType, string> = {
  malformed_json: 'The body is not valid JSON.',
  invalid_idempotency_key: 'Send an Idempotency-Key of 1 to 255 visible ASCII characters. It makes repeating the request harmless.',
  unauthenticated: 'Send Authorization: Bearer with a valid API key.',
  invalid_signature: 'No matching signature found',
  forbidden: 'This needs a key with the role operator.',
  own_order: 'The key that placed an order cannot approve it. Someone else has to.',
  not_found: 'Not found.',
  method_not_allowed: 'Allowed methods: GET, HEAD.',
  order_not_cancellable: 'The order is shipped and can no longer be cancelled.',
  approval_not_awaited: 'The order is not waiting for a decision.',
  email_taken: 'This email address already has an open signup.',
  signup_expired: 'The signup has expired.',
  signup_not_on_trial: 'The signup is not on trial.',
  failure_not_open: 'Not possible for a failure of kind step that is resolved.',
  order_not_failed: 'The order is completed. Only a failed order can be restarted.',
  money_unsettled: 'Money of an earlier generation is not refunded yet.',
  person_erased: 'The address of the order was erased.',
  bulk_action_not_running: 'The bulk action is completed.',
  fix_not_certain: 'It is not certain which side is right.',
  already_requested: 'Someone has already decided what to do about this failure.',
  refund_unknown: 'It is not known how much to refund.',
  content_too_large: 'The body is larger than 64 kB.',
  unsupported_media_type: 'Send Content-Type: application/json.',
  invalid_fields: 'Some fields are invalid; see `errors`.',
  idempotency_key_reused: 'This Idempotency-Key was used for another request.',
  unknown_product: 'TEA-UNKNOWN is not on sale.',
  duplicate_item: 'TEA-SENCHA is listed twice.',
  mixed_currencies: 'The items have different currencies.',
  total_too_large: 'The order is too large.',
  invalid_token: 'The token is wrong or already used.',
  unknown_host: '"shop.example" is not a host of this API. If it should be, add it to ALLOWED_HOSTS.',
  too_many_requests: 'At most 500 within 10 seconds.',
  internal: 'The error is ours and was logged. Include the requestId when you report it.',
  unavailable: 'Try again shortly, with the same Idempotency-Key: the request is executed once.',
  temporal_unavailable: 'Temporal is not answering. Check the current state before you repeat this.',
};

const FIELD_ERRORS: ProblemBody['errors'] = [{ in: 'body', pointer: '/reason', detail: 'must not be empty' }];

/** @returns how an operation may answer with a problem */
export const exampleOf = (type: ProblemType): ProblemBody => ({
  type: problemUri(type),
  title: PROBLEMS[type].title,
  status: PROBLEMS[type].status,
  detail: DETAILS[type],
  instance: `/v1/orders/${ORDER_ID}`,
  requestId: '0197d0a1-52c4-7e0f-8a6b-d13c5f7e9b20',
  ...(type === 'invalid_fields' ? { errors: FIELD_ERRORS } : {}),
});
