import { whyNoAnswer } from '../contracts/connection-errors.ts';
import { invalidRequest, isTransient, noAnswer, parseRetryAfter } from './errors.ts';

/** ms for one request, unless given. */
const TIMEOUT = 8_000;

/**
 * Posts an alert. Follows no redirect: the body is meant for this receiver only.
 * @throws ApplicationFailure `alert_unavailable` or `invalid_request`. Neither names the URL, which may be a secret
 */
export async function postJson(request: { url: string; body: string; headers?: Record<string, string>; timeout?: number }): Promise<void> {
  let response: Response;
  try {
    response = await fetch(request.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...request.headers },
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(request.timeout ?? TIMEOUT),
    });
    await response.body?.cancel();
  } catch (error) {
    throw noAnswer('alert', `No answer from the alert receiver (${whyNoAnswer(error)}).`);
  }
  if (response.ok) return;
  const { status, headers } = response;
  if (!isTransient(status)) throw invalidRequest(`The alert receiver rejected the message (${status}).`);
  throw noAnswer('alert', `The alert receiver is unavailable (${status}).`, parseRetryAfter(headers.get('retry-after')));
}
