import { describe, expect, it } from 'vitest';
import { createPaymentGateway, StoredFailureError, UnexpectedStateError } from '../../src/gateways/stripe.ts';
import { freePort } from '../../src/sandbox/ports.ts';
import { answering, type Answer } from './answers.ts';

const gatewayTo = (apiBase: string) => createPaymentGateway({ secretKey: 'sk_test', apiBase, timeout: 300 });

const UNAVAILABLE = { type: 'payment_unavailable', nonRetryable: false };
const DECLINED = { type: 'card_declined', nonRetryable: true };
const INVALID = { type: 'invalid_request', nonRetryable: true };

const error = (type: string, more: object = {}) => ({ error: { type, message: 'for people', ...more } });

describe('an answer of the provider', () => {
  it.each<[string, Answer, object]>([
    ['no answer in time', {}, UNAVAILABLE],
    ['401', { status: 401, body: error('invalid_request_error') }, UNAVAILABLE],
    ['403', { status: 403, body: error('invalid_request_error') }, UNAVAILABLE],
    ['409: the key is in use', { status: 409, body: error('invalid_request_error', { code: 'idempotency_key_in_use' }) }, UNAVAILABLE],
    ['409: the payment is locked', { status: 409, body: error('invalid_request_error', { code: 'lock_timeout' }) }, UNAVAILABLE],
    ['429', { status: 429, body: error('invalid_request_error', { code: 'rate_limit' }) }, UNAVAILABLE],
    [
      '429 with seconds to wait',
      { status: 429, headers: { 'retry-after': '3' }, body: error('invalid_request_error', { code: 'rate_limit' }) },
      { ...UNAVAILABLE, nextRetryDelay: 3_000 },
    ],
    ['500', { status: 500, body: error('api_error') }, UNAVAILABLE],
    ['502 in HTML', { status: 502, body: '<html>' }, UNAVAILABLE],
    ['503', { status: 503, body: error('api_error') }, UNAVAILABLE],
    ['402', { status: 402, body: error('card_error', { code: 'card_declined', decline_code: 'generic_decline' }) }, DECLINED],
    ['402, repeated', { status: 402, headers: { 'idempotent-replayed': 'true' }, body: error('card_error', { code: 'expired_card' }) }, DECLINED],
    ['an unknown payment method', { status: 400, body: error('invalid_request_error', { code: 'resource_missing', param: 'payment_method' }) }, DECLINED],
    ['400', { status: 400, body: error('invalid_request_error', { code: 'parameter_unknown', param: 'amount' }) }, INVALID],
    ['400: the key was used for another request', { status: 400, body: error('idempotency_error') }, INVALID],
    ['404', { status: 404, body: error('invalid_request_error', { code: 'resource_missing', param: 'intent' }) }, INVALID],
  ])('%s', async (_name, answer, expected) => {
    const gateway = gatewayTo(await answering(answer));
    await expect(gateway.confirmIntent('key', 'pi_1', 'pm_card_visa')).rejects.toMatchObject(expected);
    await expect(gateway.refund('key', 'pi_1', 100)).rejects.toMatchObject(expected);
  });

  it('no server', async () => {
    const gateway = gatewayTo(`http://127.0.0.1:${await freePort()}`);
    await expect(gateway.retrieveIntent('pi_1')).rejects.toMatchObject(UNAVAILABLE);
  });

  it('a failure stored for the key has its own error: a new key is needed', async () => {
    const answer = { status: 500, headers: { 'idempotent-replayed': 'true' }, body: error('api_error') };
    const gateway = gatewayTo(await answering(answer));
    await expect(gateway.confirmIntent('key', 'pi_1', 'pm_card_visa')).rejects.toBeInstanceOf(StoredFailureError);
  });

  it('an unexpected state of the payment has its own error: the payment has to be read again', async () => {
    const answer = { status: 400, body: error('invalid_request_error', { code: 'payment_intent_unexpected_state' }) };
    const gateway = gatewayTo(await answering(answer));
    await expect(gateway.cancelIntent('key', 'pi_1')).rejects.toBeInstanceOf(UnexpectedStateError);
  });
});

describe('an answer that is not of the provider, e.g. of a proxy', () => {
  it.each<[string, Answer, string]>([
    ['502 in HTML', { status: 502, body: '<html>' }, '502'],
    ['502 in JSON', { status: 502, body: { message: 'Bad Gateway' } }, '502'],
    ['502 without a body', { status: 502, body: '' }, '502'],
    ['502 cut short', { status: 502, headers: { 'content-length': '100' }, body: '{"error"', isCutShort: true }, '502'],
    ['400 in JSON', { status: 400, body: {} }, '400, unreadable answer'],
    ['404 in HTML', { status: 404, body: '<html>' }, '404, unreadable answer'],
    ['200 in HTML', { status: 200, body: '<html>' }, '200, unreadable answer'],
    ['200 in JSON', { status: 200, body: {} }, '200, unreadable answer'],
    ['200 with null', { status: 200, body: 'null' }, '200, unreadable answer'],
    ['200 cut short', { status: 200, headers: { 'content-length': '100' }, body: '{"object"', isCutShort: true }, 'connection reset'],
  ])('%s', async (_name, answer, why) => {
    const gateway = gatewayTo(await answering({ headers: { 'retry-after': '3' }, ...answer }));
    const expected = { ...UNAVAILABLE, message: `No answer from the payment provider (${why}).` };
    await expect(gateway.retrieveIntent('pi_1')).rejects.toMatchObject(expected);
    await expect(gateway.findIntent('pi_1')).rejects.toMatchObject(expected);
    await expect(gateway.refund('key', 'pi_1', 100)).rejects.toMatchObject(expected);
    await expect(gateway.listRefunds('pi_1')).rejects.toMatchObject(expected);
  });

  it('may ask to wait', async () => {
    const gateway = gatewayTo(await answering({ status: 503, headers: { 'retry-after': '3' }, body: '<html>' }));
    await expect(gateway.retrieveIntent('pi_1')).rejects.toMatchObject({ ...UNAVAILABLE, nextRetryDelay: 3_000 });
  });
});

it("the provider's message does not leave the gateway: it may describe the customer's card", async () => {
  const body = error('card_error', { code: 'card_declined', decline_code: 'lost_card', message: 'The card of Ada was lost.' });
  const gateway = gatewayTo(await answering({ status: 402, body }));
  await expect(gateway.confirmIntent('key', 'pi_1', 'pm_card_visa')).rejects.toThrow('The card was declined (lost_card).');
});
