import { postJson } from './post-json.ts';

/** What is posted to a chat. */
export interface SlackMessage {
  title: string;
  text: string;
  link: string;
}

/** Errors: `invalid_request`, `alert_unavailable`. */
export interface SlackWebhook {
  post(message: SlackMessage): Promise<void>;
}

/** In Slack's markup, these three are not text. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Posts to an incoming webhook in Slack's format, which other chats take as well.
 * @param options `url` is a secret: whoever has it can post. `timeout` in ms for one request
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export const createSlackWebhook = (options: { url: string; timeout?: number }): SlackWebhook => ({
  post: ({ title, text, link }) =>
    postJson({ ...options, body: JSON.stringify({ text: `*${escaped(title)}*\n${escaped(text)}\n<${link}|Open>` }) }),
});
