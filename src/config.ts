import { BlockList, isIP } from 'node:net';
import { parse as parseDuration } from '@lukeed/ms';
import { z } from 'zod';
import type { OrderPolicy, SignupPolicy } from './contracts/messages.ts';
import { describeIssue } from './contracts/wording.ts';
import { hostNames } from './hosts.ts';
import { payloadKeysSchema, type PayloadKeys } from './temporal/payloads/keys.ts';

/** A duration such as `48h` or `14 days`, given in ms. */
const durationText = z.string().transform((text, context) => {
  const parsed = parseDuration(text.trim());
  if (typeof parsed === 'number') return parsed;
  context.addIssue('is not a duration such as 48h or 14 days');
  return z.NEVER;
});
const duration = (preset: string) => z.string().default(preset).pipe(durationText);
const durations = (preset: string) =>
  z
    .string()
    .default(preset)
    .transform((text) => text.split(','))
    .pipe(z.array(durationText));

const portNumber = z.coerce.number().int().min(0).max(65_535);
const port = (preset: number) => portNumber.default(preset);
const count = (preset: number) => z.coerce.number().int().positive().default(preset);
const withoutSlash = (text: string) => text.replace(/\/$/, '');
const url = () => z.url().transform(withoutSlash);
const urlOr = (preset: string) => z.url().default(preset).transform(withoutSlash);

const timeZone = z.string().default('Europe/Berlin').refine((zone) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}, 'is not an IANA time zone');

/** Addresses and networks, separated by commas, e.g. `127.0.0.1, 10.0.0.0/8, fd00::/8`. */
const networks = z
  .string()
  .default('')
  .transform((text, context) => {
    const list = new BlockList();
    for (const part of text.split(',').filter((one) => one.trim() !== '')) {
      const [, address = '', prefix] = /^([^/]+?)(?:\/(\d+))?$/.exec(part.trim()) ?? [];
      const bits = isIP(address) === 4 ? 32 : 128;
      if (isIP(address) === 0 || Number(prefix ?? bits) > bits) {
        context.addIssue(`${part.trim()} is not an address or a network such as 10.0.0.0/8`);
        return z.NEVER;
      }
      list.addSubnet(address, Number(prefix ?? bits), bits === 32 ? 'ipv4' : 'ipv6');
    }
    return list;
  });

const databaseSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).describe('Where Postgres is, with user, password and database.'),
});

const payloadsSchema = z.object({
  PAYLOAD_KEYS: payloadKeysSchema.describe(
    'Encrypt what is sent to Temporal: `<id>:<base64 of 32 bytes>`, separated by commas. The first encrypts, all decrypt. The links in customers’ emails are signed with keys derived from them. Only production has to have one.',
  ),
});

const commonSchema = databaseSchema.extend({
  ...payloadsSchema.shape,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info').describe('The least level that is logged.'),
  PUBLIC_URL: urlOr('http://localhost:3000').describe('Where clients reach the API: the base of links in answers and emails.'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('The namespace of all workflows.'),
  TEMPORAL_UI_URL: urlOr('http://localhost:8233').describe("Where people reach Temporal's Web UI: the base of links to runs."),
  SHOP_TIME_ZONE: timeZone.describe("The shop's time zone: when its days and weeks begin."),
});

const webhookSecret = z.string().trim().startsWith('whsec_');
/** Several, separated by commas, are valid while they are rotated. The first is the current one. */
const webhookSecrets = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.tuple([webhookSecret], webhookSecret));

const smtpUrl = z.url({ protocol: /^smtps?$/ });

/** Without user and password: fetch refuses such a URL. */
const isWithoutUser = (text: string): boolean => {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
};
const webhookUrl = z.url({ protocol: /^https?$/ }).refine(isWithoutUser, 'must not have a user or a password').optional();

const observedSchema = z.object({
  METRICS_HOST: z.string().default('127.0.0.1').describe('The address that `METRICS_PORT` is opened on.'),
  METRICS_PORT: portNumber.optional().describe('Where Prometheus reads the metrics of this process. Nowhere, unless given.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The collector of traces, by OTLP over HTTP, such as `http://collector:4318`. Nothing is traced, unless given.'),
});

/** Where alerts go. Any of the processes sends them: the others may be what is away. */
const alertingSchema = z.object({
  ONCALL_EMAIL: z.email().default('oncall@holdfast.example').describe('Gets alerts.'),
  MAIL_FROM: z.string().default('Holdfast <shop@holdfast.example>').describe('The sender of all emails.'),
  MAIL_TIMEOUT: duration('15s').describe('How long sending one email may take.'),
  ALERT_WEBHOOK_URL: webhookUrl.describe('Receives alerts as Standard Webhooks. No one does, unless given. `https` in production.'),
  ALERT_WEBHOOK_SECRET: webhookSecrets
    .optional()
    .describe('Signs them: `whsec_` and base64. With several, separated by commas, each signs: for as long as they are rotated.'),
  ALERT_SLACK_URL: webhookUrl.describe("An incoming webhook of Slack, or of another chat that takes Slack's format. `https` in production."),
  ALERT_BACKLOG_AFTER: duration('5m').describe('How long a command or a task may wait before that is an alert.'),
  ALERT_DIGEST_EVERY: duration('6h').describe('How often an alert that goes on is repeated, with the count at that time.'),
});

const apiOnlySchema = z.object({
  API_HOST: z.string().default('127.0.0.1').describe('The address that `API_PORT` is opened on.'),
  API_PORT: port(3000).describe('Where the API listens.'),
  ALLOWED_HOSTS: hostNames.describe(
    'Host names that requests may be sent to, separated by commas, besides that of `PUBLIC_URL`, `localhost` and addresses.',
  ),
  SMTP_URL: smtpUrl.optional().describe('The mail server, for alerts while no worker runs. Without it, only workers send alerts by email.'),
  DATABASE_POOL: count(20).describe('Most connections to Postgres of one process. All processes together must stay below its `max_connections`.'),
  TRUSTED_PROXIES: networks.describe(
    'The proxies in front of the API: addresses or networks, separated by commas. Their `X-Forwarded-For` says who called.',
  ),
  RATE_LIMIT: z
    .literal('off')
    .or(count(500))
    .default(500)
    .describe('Requests of one API key within ten seconds, in each process. `off` limits nothing: for load tests.'),
  WAREHOUSE_WEBHOOK_SECRET: webhookSecrets.describe(
    'Signs what the warehouse reports: `whsec_` and base64, as in Standard Webhooks. Several, separated by commas, are valid while they are rotated.',
  ),
  STRIPE_WEBHOOK_SECRET: webhookSecrets.describe(
    "Signs what Stripe reports to `/v1/webhooks/stripe`, from Stripe's dashboard. Several, separated by commas, are valid while they are rotated.",
  ),
});

const workerOnlySchema = z.object({
  TEMPORAL_METRICS_PORT: portNumber.optional().describe("Where Prometheus reads the metrics of Temporal's SDK. Nowhere, unless given."),
  // Fewer than activities: an activity that calls the outside holds one for a few ms of its time. Activities that only use
  // Postgres are limited by it (see `worker.ts`).
  DATABASE_POOL: count(30).describe('Most connections to Postgres of one process. All processes together must stay below its `max_connections`.'),
  SMTP_URL: smtpUrl.describe('The mail server: `smtp://user:password@host:587`, or `smtps://` for TLS from the start.'),
  OPERATIONS_EMAIL: z.email().default('operations@holdfast.example').describe('Gets weekly reports and reminders.'),
  STRIPE_SECRET_KEY: z.string().min(1).describe('The key of the payment provider.'),
  STRIPE_API_BASE: urlOr('https://api.stripe.com').describe('Where the payment provider is.'),
  WAREHOUSE_URL: url().describe('Where the warehouse is.'),
  WAREHOUSE_API_KEY: z.string().min(1).describe('The key of the warehouse.'),
  // Below the limits of an attempt in `contracts/retry-profiles.ts`.
  PAYMENT_TIMEOUT: duration('20s').describe('How long one call to the payment provider may take.'),
  WAREHOUSE_TIMEOUT: duration('8s').describe('How long one call to the warehouse may take.'),
  ORDERS_CONCURRENCY: count(100).describe('How many activities of orders and signups one worker runs at a time.'),
  EMAIL_CONCURRENCY: count(20).describe('How many emails one worker sends at a time.'),
  OPERATIONS_CONCURRENCY: count(10).describe('How many activities of reports, bulk actions and checks of the books one worker runs at a time.'),
  MAX_CACHED_WORKFLOWS: count(300).describe('How many workflows one worker keeps in memory. Others are replayed when something happens.'),
  SHUTDOWN_GRACE: duration('20s').describe('How long running activities may take to end when a worker stops.'),
  WORKFLOW_BUNDLE: z.string().optional().describe('A workflow bundle made in advance. Made at the start, unless given.'),
  APPROVAL_THRESHOLD: z.coerce
    .number()
    .int()
    .min(0)
    .default(50_000)
    .describe('Orders over this amount, in minor units, wait for approval.'),
  APPROVAL_DEADLINE: duration('48h').describe('An order without a decision after this time is rejected. A reminder goes out halfway.'),
  PARKING_DEADLINE: duration('7 days').describe('A parked order without a decision after this time is cancelled.'),
  // One declined card happens to anybody.
  REVIEW_AFTER_DECLINES: z
    .literal('off')
    .or(z.coerce.number().int().min(2))
    .default(5)
    .describe('From so many declined cards of one email address within 24 hours on, its further orders wait for approval. `off` for load tests.'),
  LATE_SHIPMENT_AFTER: duration('48h').describe('When operations is reminded that an order has not left the warehouse.'),
  LATE_SHIPMENT_EVERY: duration('24h').describe('How often it is reminded again.'),
  DELIVERY_DEADLINE: duration('14 days').describe('When a shipped order is completed even if the carrier has not reported its delivery.'),
  SIGNUP_REMINDERS: durations('24h, 72h').describe('When a signup is reminded to verify its address, separated by commas.'),
  VERIFICATION_DEADLINE: duration('7 days').describe('When a signup that is not verified expires.'),
  TRIAL: duration('30 days').describe('How long a trial lasts.'),
  TRIAL_REMINDER_BEFORE: duration('7 days').describe('How long before the end of a trial its reminder is sent.'),
  EMAILS_PER_ADDRESS_AND_DAY: z
    .literal('off')
    .or(count(20))
    .default(20)
    .describe('Most emails that nobody paid for to one address within 24 hours. `off` for load tests.'),
  RECONCILE_GRACE: duration('2m').describe('How long Postgres and the other side may differ before that is a failure.'),
});

/** All settings, by who reads them. */
export const SETTINGS = {
  'All processes': commonSchema,
  'API and worker': z.object({ ...observedSchema.shape, ...alertingSchema.shape }),
  API: apiOnlySchema,
  Worker: workerOnlySchema,
};

const apiSchema = z.object({ ...commonSchema.shape, ...observedSchema.shape, ...alertingSchema.shape, ...apiOnlySchema.shape });
const workerSchema = z.object({ ...commonSchema.shape, ...observedSchema.shape, ...alertingSchema.shape, ...workerOnlySchema.shape });

/** What sending alerts needs. */
export type AlertingConfig = z.infer<typeof alertingSchema> & { SMTP_URL?: string | undefined };
export type ApiConfig = z.infer<typeof apiSchema>;
export type OpsConfig = z.infer<typeof commonSchema>;
export type WorkerConfig = z.infer<typeof workerSchema>;

/** Thrown when the environment is incomplete or wrong. The message lists every problem, one per line. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

function load<Output>(schema: z.ZodType<Output>, environment: NodeJS.ProcessEnv): Output {
  // Only production has to make a key first.
  const preset = environment['NODE_ENV'] === 'production' ? {} : { PAYLOAD_KEYS: 'none' };
  // Compose files set missing variables to an empty text.
  const given = { ...preset, ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')) };
  const result = schema.safeParse(given, { error: describeIssue });
  const faults = [...(result.error?.issues ?? []).map((issue) => `  ${issue.path.join('.')}: ${issue.message}`), ...alertingFaults(environment)];
  if (result.success && faults.length === 0) return result.data;
  throw new ConfigError(`The environment is incomplete:\n${faults.join('\n')}`);
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** What no single setting says. Alerts tell what is wrong in the shop, so nobody on the way may read or change them. */
function alertingFaults(environment: NodeJS.ProcessEnv): string[] {
  const isProduction = environment['NODE_ENV'] === 'production';
  const isInsecure = (name: string) => {
    const given = environment[name] ?? '';
    if (!URL.canParse(given)) return false;
    const { protocol, hostname } = new URL(given);
    return protocol === 'http:' && !LOOPBACK.includes(hostname);
  };
  const insecure = ['ALERT_WEBHOOK_URL', 'ALERT_SLACK_URL'].filter((name) => isProduction && isInsecure(name));
  const isUnsigned = Boolean(environment['ALERT_WEBHOOK_URL']) && !environment['ALERT_WEBHOOK_SECRET'];
  return [
    ...insecure.map((name) => `  ${name}: must be https in production`),
    ...(isUnsigned ? ['  ALERT_WEBHOOK_SECRET: is required with ALERT_WEBHOOK_URL: without it, the receiver cannot verify the sender'] : []),
  ];
}

/** @throws ConfigError when a variable is missing or wrong */
export const loadApiConfig = (environment = process.env): ApiConfig => load(apiSchema, environment);

/**
 * What the operator's command line needs.
 * @throws ConfigError when a variable is missing or wrong
 */
export const loadOpsConfig = (environment = process.env): OpsConfig => load(commonSchema, environment);

/**
 * What reading and writing payloads needs, in a process that needs nothing else.
 * @throws ConfigError when the keys are missing in production, or wrong
 */
export const loadPayloadKeys = (environment = process.env): PayloadKeys => load(payloadsSchema, environment).PAYLOAD_KEYS;

/** @throws ConfigError when a variable is missing or wrong */
export const loadWorkerConfig = (environment = process.env): WorkerConfig => load(workerSchema, environment);

/**
 * @returns the amount, in minor units, above which orders wait for approval
 * @throws ConfigError when it is wrong
 */
export const loadApprovalThreshold = (environment = process.env): number =>
  load(workerOnlySchema.pick({ APPROVAL_THRESHOLD: true }), environment).APPROVAL_THRESHOLD;

/** The policy of orders started from now on. A later change of the configuration does not affect them. */
export const orderPolicy = (config: WorkerConfig): OrderPolicy => ({
  approvalThreshold: config.APPROVAL_THRESHOLD,
  approvalDeadline: config.APPROVAL_DEADLINE,
  parkingDeadline: config.PARKING_DEADLINE,
  lateShipmentAfter: config.LATE_SHIPMENT_AFTER,
  lateShipmentEvery: config.LATE_SHIPMENT_EVERY,
  deliveryDeadline: config.DELIVERY_DEADLINE,
});

/** The policy of signups started from now on. */
export const signupPolicy = (config: WorkerConfig): SignupPolicy => ({
  reminders: config.SIGNUP_REMINDERS,
  verificationDeadline: config.VERIFICATION_DEADLINE,
  trial: config.TRIAL,
  trialReminderBefore: config.TRIAL_REMINDER_BEFORE,
});
