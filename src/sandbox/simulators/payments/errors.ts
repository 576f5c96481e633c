/** The `error` of Stripe's envelope. Source: https://docs.stripe.com/api/errors */
export type StripeErrorBody = {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  message: string;
  code?: string | undefined;
  decline_code?: string | undefined;
  param?: string | undefined;
};

/** An error answer of the payment provider. */
export class StripeError extends Error {
  override readonly name = 'StripeError';
  readonly status: 400 | 401 | 404 | 409;
  readonly body: StripeErrorBody;

  constructor(status: StripeError['status'], body: StripeErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** A request that is wrong as it stands (400). */
export function invalidRequest(message: string, code?: string, param?: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    message,
    code,
    param,
  });
}

/** An object that does not exist: 404 when the URL names it (`id`), 400 when a parameter does. */
export function noSuch(what: string, id: string, param: string): StripeError {
  return new StripeError(param === 'id' || param === 'intent' ? 404 : 400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  });
}
