import { parse as parseDuration } from '@lukeed/ms';
import { z } from 'zod';
import type { OrderPolicy, SignupPolicy } from './contracts/messages.ts';
import { describeIssue } from './contracts/wording.ts';

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

const port = (preset: number) => z.coerce.number().int().min(0).max(65_535).default(preset);
const count = (preset: number) => z.coerce.number().int().positive().default(preset);
const url = () => z.url().transform((text) => text.replace(/\/$/, ''));

const timeZone = z.string().default('Europe/Berlin').refine((zone) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}, 'is not an IANA time zone');

const databaseSchema = z.object({ DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }) });

const commonSchema = databaseSchema.extend({
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** Where clients reach the API: the base of links in answers and emails. */
  PUBLIC_URL: url().default('http://localhost:3000'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: url().default('http://localhost:8233'),
  /** The shop's time zone: when its days and weeks begin. */
  SHOP_TIME_ZONE: timeZone,
});

const apiSchema = commonSchema.extend({
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port(3000),
  DATABASE_POOL: count(20),
  /** `whsec_` and base64, as in Standard Webhooks. */
  WAREHOUSE_WEBHOOK_SECRET: z.string().startsWith('whsec_'),
  /** The signing secret of the endpoint `/v1/webhooks/stripe`, from the provider's dashboard. */
  STRIPE_WEBHOOK_SECRET: z.string().startsWith('whsec_'),
});

const opsSchema = commonSchema.extend({ SHOP_TIME_ZONE: timeZone });

const workerSchema = commonSchema.extend({
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
  // Compose files set missing variables to an empty text.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
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
