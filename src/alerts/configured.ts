import type { Client } from '@temporalio/client';
import type { AlertChannel } from '../contracts/alerts.ts';
import type { AlertingConfig, OpsConfig } from '../config.ts';
import type { Database } from '../db/client.ts';
import { createAlertWebhook } from '../gateways/alert-webhook.ts';
import { createSlackWebhook } from '../gateways/slack.ts';
import { createMailGateway, type MailGateway } from '../gateways/smtp.ts';
import type { Logger } from '../log.ts';
import { measureCalls } from '../metrics/calls.ts';
import { createAlerter, type Alerter } from './alerter.ts';

/** An alerter as the configuration describes it, and how to close its connections. */
export interface ConfiguredAlerter extends Alerter {
  close: () => void;
}

/** Creates the alerter of a process. `now`: the present time; that of the database, unless given. */
export function configureAlerter(
  config: AlertingConfig & OpsConfig,
  parts: { db: Database; client: Client; log: Logger; now?: () => Promise<Date> },
): ConfiguredAlerter {
  const { ALERT_WEBHOOK_URL: webhookUrl, ALERT_WEBHOOK_SECRET: secrets, ALERT_SLACK_URL: slackUrl } = config;
  const mail = mailOf(config);
  const channels: AlertChannel[] = ['email', ...(webhookUrl ? (['webhook'] as const) : []), ...(slackUrl ? (['slack'] as const) : [])];
  const alerter = createAlerter({
    ...parts,
    channels,
    publicUrl: config.PUBLIC_URL,
    onCallEmail: config.ONCALL_EMAIL,
    timeZone: config.SHOP_TIME_ZONE,
    backlogAfter: config.ALERT_BACKLOG_AFTER,
    digestEvery: config.ALERT_DIGEST_EVERY,
    mail,
    webhook: webhookUrl && secrets ? measureCalls('alert', createAlertWebhook({ url: webhookUrl, secrets })) : undefined,
    slack: slackUrl ? measureCalls('alert', createSlackWebhook({ url: slackUrl })) : undefined,
  });
  return { ...alerter, close: () => mail?.close() };
}

/** Connections that a flood of customers' mail cannot use up. */
function mailOf({ SMTP_URL: url, MAIL_FROM: from, MAIL_TIMEOUT: timeout }: AlertingConfig): MailGateway | undefined {
  return url === undefined ? undefined : measureCalls('email', createMailGateway({ url, from, timeout }));
}
