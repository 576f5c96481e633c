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
const url = () => z.url().transform((text) => text.replace(/\/$/, ''));

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

const databaseSchema = z.object({ DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }) });

const payloadsSchema = z.object({ PAYLOAD_KEYS: payloadKeysSchema });

const commonSchema = databaseSchema.extend({
  ...payloadsSchema.shape,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Where clients reach the API: the base of links in answers and emails. */
  PUBLIC_URL: url().default('http://localhost:3000'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: url().default('http://localhost:8233'),
  /** The shop's time zone: when its days and weeks begin. */
  SHOP_TIME_ZONE: timeZone,
});

const webhookSecret = z.string().trim().startsWith('whsec_');
/** Several, separated by commas, are valid while they are rotated. The first is the current one. */
const webhookSecrets = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.tuple([webhookSecret], webhookSecret));

/** Where Prometheus reads the metrics of a process. Without a port, nowhere. */
const metricsSchema = z.object({
  METRICS_HOST: z.string().default('127.0.0.1'),
  METRICS_PORT: portNumber.optional(),
});

const apiSchema = commonSchema.extend({
  ...metricsSchema.shape,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(3000),
  /** Host names that requests may be sent to, besides that of `PUBLIC_URL`, `localhost` and addresses. */
  ALLOWED_HOSTS: hostNames,
  DATABASE_POOL: count(20),
  /** The proxies in front of the API, whose `X-Forwarded-For` says who called: see `api/client-address.ts`. */
  TRUSTED_PROXIES: networks,
  /** Requests of one key within ten seconds, in each process. `off` for load tests: then nothing is limited. */
  RATE_LIMIT: z.literal('off').or(count(500)).default(500),
  /** Each `whsec_` and base64, as in Standard Webhooks. */
  WAREHOUSE_WEBHOOK_SECRET: webhookSecrets,
  /** The signing secrets of the endpoint `/v1/webhooks/stripe`, from the provider's dashboard. */
  STRIPE_WEBHOOK_SECRET: webhookSecrets,
});

const opsSchema = commonSchema.extend({ SHOP_TIME_ZONE: timeZone });

const workerSchema = commonSchema.extend({
  ...metricsSchema.shape,
  /** The port of the metrics of Temporal's SDK, which serves them itself. */
  TEMPORAL_METRICS_PORT: portNumber.optional(),
  /**
   * Connections of one worker process. Fewer than activities: an activity that calls the outside holds one for a few ms of
   * its time. Activities that only use Postgres are limited by it (see `worker.ts`). All processes together must stay below
   * `max_connections` of Postgres.
   */
  DATABASE_POOL: count(30),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }),
  MAIL_FROM: z.string().default('Holdfast <shop@holdfast.example>'),
  OPERATIONS_EMAIL: z.email().default('operations@holdfast.example'),
  ONCALL_EMAIL: z.email().default('oncall@holdfast.example'),
  STRIPE_SECRET_KEY: z.string().min(1),
  STRIPE_API_BASE: url().default('https://api.stripe.com'),
  WAREHOUSE_URL: url(),
  WAREHOUSE_API_KEY: z.string().min(1),
  /** How long one call to a service may take. Keep them below the limits of an attempt in `contracts/retry-profiles.ts`. */
  PAYMENT_TIMEOUT: duration('20s'),
  WAREHOUSE_TIMEOUT: duration('8s'),
  MAIL_TIMEOUT: duration('15s'),
  /** How many activities of each queue one worker process runs at a time. */
  ORDERS_CONCURRENCY: count(100),
  EMAIL_CONCURRENCY: count(20),
  OPERATIONS_CONCURRENCY: count(10),
  MAX_CACHED_WORKFLOWS: count(300),
  SHUTDOWN_GRACE: duration('20s'),
  WORKFLOW_BUNDLE: z.string().optional(),
  APPROVAL_THRESHOLD: z.coerce.number().int().min(0).default(50_000),
  APPROVAL_DEADLINE: duration('48h'),
  PARKING_DEADLINE: duration('7 days'),
  LATE_SHIPMENT_AFTER: duration('48h'),
  LATE_SHIPMENT_EVERY: duration('24h'),
  DELIVERY_DEADLINE: duration('14 days'),
  SIGNUP_REMINDERS: durations('24h, 72h'),
  VERIFICATION_DEADLINE: duration('7 days'),
  TRIAL: duration('30 days'),
  TRIAL_REMINDER_BEFORE: duration('7 days'),
  ALERT_DIGEST_EVERY: duration('15m'),
  /** How long Postgres and the other side may differ before that is a failure. */
  RECONCILE_GRACE: duration('2m'),
  /** Receives alerts as Standard Webhooks. Default: none. */
  ALERT_WEBHOOK_URL: z.url().optional(),
  /** `whsec_` and base64 */
  ALERT_WEBHOOK_SECRET: z.string().startsWith('whsec_').optional(),
});

export type ApiConfig = z.infer<typeof apiSchema>;
export type OpsConfig = z.infer<typeof opsSchema>;
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
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`The environment is incomplete:\n${faults.join('\n')}`);
}

/** @throws ConfigError when a variable is missing or wrong */
export const loadApiConfig = (environment = process.env): ApiConfig => load(apiSchema, environment);

/**
 * What the operator's command line needs.
 * @throws ConfigError when a variable is missing or wrong
 */
export const loadOpsConfig = (environment = process.env): OpsConfig => load(opsSchema, environment);

/**
 * What reading and writing payloads needs, in a process that needs nothing else.
 * @throws ConfigError when the keys are missing in production, or wrong
 */
export const loadPayloadKeys = (environment = process.env): PayloadKeys => load(payloadsSchema, environment).PAYLOAD_KEYS;

/** @throws ConfigError when a variable is missing or wrong */
export const loadWorkerConfig = (environment = process.env): WorkerConfig => load(workerSchema, environment);

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
