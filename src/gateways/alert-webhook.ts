import { Webhook } from 'standardwebhooks';
import type { AlertOccasion } from '../contracts/alerts.ts';
import { postJson } from './post-json.ts';

/** A message of an alert. No personal data. */
export interface AlertMessage {
  type: `alert.${AlertOccasion}`;
  timestamp: string;
  data: {
    /** The same for all messages of one alert. */
    alertId: string;
    subject: string;
    title: string;
    text: string;
    count: number;
    since: string;
    link: string;
  };
}

/** Errors: `invalid_request`, `alert_unavailable`. */
export interface AlertWebhook {
  /** @param id the same for each attempt, so that the receiver can drop copies */
  post(id: string, message: AlertMessage): Promise<void>;
}

/**
 * Sends alerts as signed webhooks, e.g. to a pager.
 * @param options `secrets` are `whsec_` and base64: each of them signs, so that the receiver may have any of them; `timeout` in ms for
 * one request
 * @see https://www.standardwebhooks.com
 */
export function createAlertWebhook({ secrets, ...options }: { url: string; secrets: readonly string[]; timeout?: number }): AlertWebhook {
  const signers = secrets.map((secret) => new Webhook(secret));
  return {
    async post(id, message) {
      const body = JSON.stringify(message);
      const sentAt = new Date();
      await postJson({
        ...options,
        body,
        headers: {
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
          'webhook-signature': signers.map((signer) => signer.sign(id, sentAt, body)).join(' '),
        },
      });
    },
  };
}
