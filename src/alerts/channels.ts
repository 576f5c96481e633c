import type { AlertChannel, AlertContent, AlertOccasion } from '../contracts/alerts.ts';
import type { AlertWebhook } from '../gateways/alert-webhook.ts';
import { letter } from '../gateways/letter.ts';
import type { SlackWebhook } from '../gateways/slack.ts';
import type { MailGateway } from '../gateways/smtp.ts';

/** A message of an alert, on its way. */
export interface Message {
  /** The same for each attempt and channel, so that a receiver can drop copies. */
  key: string;
  alertId: string;
  subject: string;
  occasion: AlertOccasion;
  content: AlertContent;
}

/** Sends a message on one channel. Rejects if it is not known to have arrived. */
export type Send = (message: Message) => Promise<void>;

/** The channels that this process has. */
export type Channels = Partial<Record<AlertChannel, Send>>;

/** What channels need. Those without their gateway are left out. */
export interface ChannelOptions {
  publicUrl: string;
  onCallEmail: string;
  mail?: MailGateway | undefined;
  webhook?: AlertWebhook | undefined;
  slack?: SlackWebhook | undefined;
}

const PREFIXES: Record<AlertOccasion, string> = { opened: '', grown: 'Now ', digest: 'Still ', resolved: 'Resolved: ' };

const titleOf = ({ occasion, content }: Message): string => `${PREFIXES[occasion]}${content.title}`;

/** @returns how to send a message on each channel */
export function createChannels({ publicUrl, onCallEmail, mail, webhook, slack }: ChannelOptions): Channels {
  const linkOf = ({ content }: Message) => `${publicUrl}${content.path}`;
  return {
    ...(mail && {
      email: async (message: Message) => {
        const { lines } = message.content;
        const title = titleOf(message);
        const body = await letter({ subject: `[Holdfast] ${title}`, lines: [`${title}.`, ...lines], link: { label: 'Open', url: linkOf(message) } });
        await mail.send({ key: message.key, to: onCallEmail, ...body });
      },
    }),
    ...(webhook && {
      webhook: (message: Message) => {
        const { alertId, subject, occasion, content } = message;
        const { count, since, lines } = content;
        return webhook.post(message.key, {
          type: `alert.${occasion}`,
          timestamp: new Date().toISOString(),
          data: { alertId, subject, title: titleOf(message), text: lines.join('\n'), count, since, link: linkOf(message) },
        });
      },
    }),
    ...(slack && {
      slack: (message: Message) =>
        slack.post({ title: titleOf(message), text: message.content.lines.join('\n'), link: linkOf(message) }),
    }),
  };
}
