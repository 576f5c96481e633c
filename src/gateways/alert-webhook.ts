import { Webhook } from 'standardwebhooks';
import type { AlertOccasion } from '../contracts/messages.ts';
import { whyNoAnswer } from './connection-errors.ts';
import { invalidRequest, isTransient, noAnswer, parseRetryAfter } from './errors.ts';

/** An alert about a group of failures. No personal data. */
export interface AlertMessage {
  type: `failures.${AlertOccasion}`;
  timestamp: string;
  data: { group: string; open: number; link: string };
}

/** Errors: `invalid_request`, `alert_unavailable`. */
export interface AlertWebhook {
  /** @param id the same for each attempt, so that the receiver can drop copies */
  post(id: string, message: AlertMessage): Promise<void>;
}

/** For a shop without a receiver. */
export const NO_ALERT_WEBHOOK: AlertWebhook = { post: () => Promise.resolve() };

/**
 * Sends alerts as signed webhooks, e.g. to a chat or a pager.
 * @param options `secret` is `whsec_` and base64; `timeout` in ms for one request
 * @see https://www.standardwebhooks.com
 */
export function createAlertWebhook(options: { url: string; secret: string; timeout?: number }): AlertWebhook {
  const signer = new Webhook(options.secret);
  return {
    async post(id, message) {
      const body = JSON.stringify(message);
      const sentAt = new Date();
      let response: Response;
      try {
        response = await fetch(options.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
            'webhook-signature': signer.sign(id, sentAt, body),
          },
          body,
          signal: AbortSignal.timeout(options.timeout ?? 8_000),
        });
        await response.body?.cancel();
      } catch (error) {
        throw noAnswer('alert', `No answer from the alert receiver (${whyNoAnswer(error)}).`);
      }
      if (response.ok) return;
      const { status, headers } = response;
      if (!isTransient(status)) throw invalidRequest(`The alert receiver rejected the message (${status}).`);
      throw noAnswer('alert', `The alert receiver is unavailable (${status}).`, parseRetryAfter(headers.get('retry-after')));
    },
  };
}
