/** The `error` object in Stripe's error responses. Source: https://docs.stripe.com/api/errors */
export type StripeErrorBody = {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
  message: string;
  code?: string | undefined;
  decline_code?: string | undefined;
  param?: string | undefined;
};

/** An error that the payment provider answers a request with. */
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

/** An invalid request (400). */
export function invalidRequest(message: string, code?: string, param?: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    message,
    code,
    param,
  });
}

/** An object that does not exist: 404 if the URL names it (`id`, `intent`), 400 if a parameter does. */
export function noSuch(what: string, id: string, param: string): StripeError {
  return new StripeError(param === 'id' || param === 'intent' ? 404 : 400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  });
}
