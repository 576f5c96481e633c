import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { ALERT_CHANNELS, ALERT_MESSAGE_STATES, ALERT_OCCASIONS, type AlertContent } from '../contracts/alerts.ts';
import { BOOK_CHECKS, BOOK_FIXES, BOOK_SCOPES } from '../contracts/books.ts';
import {
  BULK_ACTION_ITEM_STATES,
  BULK_ACTION_STATES,
  BULK_ACTION_TYPES,
  type BulkActionRequest,
} from '../contracts/bulk-actions.ts';
import {
  ATTEMPT_EVENT_TYPES,
  ATTEMPT_KINDS,
  CANCELLATION_OUTCOMES,
  CANCELLATION_STATUSES,
  COMMAND_STATES,
  DISPUTE_STATUSES,
  EMAIL_STATUSES,
  FAILURE_EVENT_TYPES,
  FAILURE_KINDS,
  FAILURE_STATUSES,
  ORDER_STATUSES,
  ORDER_STEPS,
  OUTLASTING_FAILURE_KINDS,
  PAYMENT_STATES,
  REFUND_STATUSES,
  ROLES,
  SHIPMENT_STATES,
  SIGNUP_STATUSES,
  STEP_KINDS,
  STEP_STATES,
} from '../contracts/statuses.ts';
import { SERVICES } from '../contracts/health.ts';
import { QUEUE_NAMES } from '../contracts/names.ts';
import { CAPPED_TEMPLATES } from '../contracts/templates.ts';

/** What the business knows. Constraints hold the rules, so that no code path, and no race, can break them. Amounts are minor units. */

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const at = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = () => at('created_at').notNull().defaultNow();
const oneOf = (column: string, words: readonly string[]) =>
  sql.raw(`${column} in (${words.map((word) => `'${word}'`).join(', ')})`);

// ---------------------------------------------------------------- who calls

/** Who may use the API. What a key owns, and its idempotency keys, belong to its id, which no rotation changes. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().primaryKey(),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    createdAt: createdAt(),
    revokedAt: at('revoked_at'),
  },
  () => [check('api_keys_role', oneOf('role', ROLES))],
);

/**
 * What the holder of a key sends. A key has several while it is rotated. `hash` is the SHA-256 of a random 256-bit secret, so a
 * stolen table is of no use.
 */
export const apiKeySecrets = pgTable(
  'api_key_secrets',
  {
    hash: text().primaryKey(),
    keyId: uuid('key_id')
      .notNull()
      .references(() => apiKeys.id),
    createdAt: createdAt(),
    /** Null if it lasts until its key is revoked. */
    expiresAt: at('expires_at'),
    /** Up to a minute behind: see `api/key-uses.ts`. */
    lastUsedAt: at('last_used_at'),
  },
  (table) => [index('api_key_secrets_key').on(table.keyId)],
);

/** Who is signed in to the operator's page. Only the hash of a session's token is stored. A session ends with the secret that opened it. */
export const operatorSessions = pgTable(
  'operator_sessions',
  {
    tokenHash: text('token_hash').primaryKey(),
    secretHash: text('secret_hash')
      .notNull()
      .references(() => apiKeySecrets.hash),
    createdAt: createdAt(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [index('operator_sessions_expiry').on(table.expiresAt)],
);

/** The first answer to a request that creates something, for repetitions of the request. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    owner: uuid()
      .notNull()
      .references(() => apiKeys.id),
    key: text().notNull(),
    requestHash: text('request_hash').notNull(),
    location: text().notNull(),
    body: jsonb().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.owner, table.key] }), index('idempotency_keys_age').on(table.createdAt)],
);

// ---------------------------------------------------------------- signups

export const signups = pgTable(
  'signups',
  {
    id: uuid().primaryKey(),
    owner: uuid()
      .notNull()
      .references(() => apiKeys.id),
    email: text().notNull(),
    name: text().notNull(),
    status: text({ enum: SIGNUP_STATUSES }).notNull(),
    verifiedAt: at('verified_at'),
    trialEndsAt: at('trial_ends_at'),
    subscribedAt: at('subscribed_at'),
    createdAt: createdAt(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    check('signups_status', oneOf('status', SIGNUP_STATUSES)),
    // One open signup per address; an expired or ended one frees it.
    uniqueIndex('signups_open_email')
      .on(sql`lower(${table.email})`)
      .where(sql`status not in ('expired', 'ended')`),
    index('signups_email').on(sql`lower(${table.email})`),
    index('signups_updated').on(table.updatedAt),
    index('signups_created').using('brin', table.createdAt),
  ],
);

/** Each email has its own token; only the hash is stored. Using one uses up all, because a signup is verified once. */
export const verificationTokens = pgTable(
  'verification_tokens',
  {
    hash: text().primaryKey(),
    signupId: uuid('signup_id')
      .notNull()
      .references(() => signups.id),
    createdAt: createdAt(),
    usedAt: at('used_at'),
  },
  (table) => [index('verification_tokens_signup').on(table.signupId), index('verification_tokens_age').on(table.createdAt)],
);

// ---------------------------------------------------------------- catalogue

export const products = pgTable(
  'products',
  {
    sku: text().primaryKey(),
    name: text().notNull(),
    amount: integer().notNull(),
    currency: text().notNull(),
    active: boolean().notNull().default(true),
  },
  () => [check('products_amount', sql`amount > 0`)],
);

export const stock = pgTable(
  'stock',
  {
    sku: text()
      .primaryKey()
      .references(() => products.sku),
    available: integer().notNull(),
    /** All that ever came in. Whoever adds stock adds to both: `available` and what is reserved make up `received`. */
    received: integer().notNull(),
  },
  () => [check('stock_not_negative', sql`available >= 0`)],
);

// ---------------------------------------------------------------- orders

/** In the words of its index, which a parameter would keep Postgres from using. */
export const isDeclinedOrder = sql.raw(`failure_type = 'card_declined'`);

/** In these, no cancellation is open. */
const SETTLING_STATUSES = Object.keys(CANCELLATION_OUTCOMES);

export const orders = pgTable(
  'orders',
  {
    id: uuid().primaryKey(),
    owner: uuid()
      .notNull()
      .references(() => apiKeys.id),
    generation: integer().notNull().default(1),
    status: text({ enum: ORDER_STATUSES }).notNull(),
    amount: integer().notNull(),
    currency: text().notNull(),
    paymentMethod: text('payment_method').notNull(),
    customerEmail: text('customer_email').notNull(),
    customerName: text('customer_name').notNull(),
    line1: text().notNull(),
    city: text().notNull(),
    postalCode: text('postal_code').notNull(),
    country: text().notNull(),
    approvalDecision: text('approval_decision', { enum: ['approve', 'reject'] }),
    cancellationReason: text('cancellation_reason'),
    /** Who requested its cancellation, e.g. `key:<id>`. Neither is known of a run that was cancelled in Temporal. */
    cancellationActor: text('cancellation_actor'),
    cancellationStatus: text('cancellation_status', { enum: CANCELLATION_STATUSES }),
    cancellationRequestedAt: at('cancellation_requested_at'),
    /** When it was done or refused. */
    cancellationSettledAt: at('cancellation_settled_at'),
    /** Why the warehouse rejected the parcel, in its words. */
    shipmentRejectionReason: text('shipment_rejection_reason'),
    failureType: text('failure_type'),
    failureMessage: text('failure_message'),
    createdAt: createdAt(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    check('orders_status', oneOf('status', ORDER_STATUSES)),
    check('orders_amount', sql`amount > 0`),
    check('orders_generation', sql`generation > 0`),
    check('orders_cancellation_status', oneOf('cancellation_status', CANCELLATION_STATUSES)),
    check(
      'orders_cancellation_times',
      sql`(cancellation_status is null) = (cancellation_requested_at is null)
        and (cancellation_status is not null and cancellation_status <> 'requested') = (cancellation_settled_at is not null)`,
    ),
    // Every cancellation has an outcome.
    check('orders_cancellation_settled', sql`cancellation_status <> 'requested' or not (${oneOf('status', SETTLING_STATUSES)})`),
    index('orders_owner').on(table.owner, table.id),
    index('orders_status_id').on(table.status, table.id),
    // BRIN: one entry for many rows, so that a change of status does not write to it.
    index('orders_created').using('brin', table.createdAt),
    index('orders_email').on(sql`lower(${table.customerEmail})`),
    // Only those whose card was declined, so that placing an order does not write to it.
    index('orders_declined')
      .on(sql`lower(${table.customerEmail})`, table.updatedAt)
      .where(isDeclinedOrder),
    // The number that emails show.
    index('orders_short_id').on(sql`right(${table.id}::text, 8)`),
  ],
);

/** Prices at the time of the order. */
export const orderItems = pgTable(
  'order_items',
  {
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    sku: text()
      .notNull()
      .references(() => products.sku),
    /** Its place in the request. */
    position: integer().notNull().default(0),
    name: text().notNull(),
    quantity: integer().notNull(),
    unitAmount: integer('unit_amount').notNull(),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.sku] }), check('order_items_quantity', sql`quantity > 0`)],
);

/**
 * Every status that an order and its cancellation have had: each row has one of the two. `/events` streams them, and resumes
 * after an `id`.
 */
export const orderEvents = pgTable(
  'order_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: uuid('order_id')
      .notNull()
      .references(() => orders.id),
    generation: integer().notNull(),
    status: text({ enum: ORDER_STATUSES }),
    cancellation: text({ enum: CANCELLATION_STATUSES }),
    at: createdAt(),
  },
  (table) => [
    check('order_events_one', sql`num_nonnulls(status, cancellation) = 1`),
    index('order_events_order').on(table.orderId, table.id),
    index('order_events_age').on(table.at),
    // Which orders have ever had a status. Not those that nearly all have within seconds: accepting an order writes to fewer indexes.
    index('order_events_reached')
      .on(table.status, table.orderId)
      .where(sql`status not in ('accepted', 'reserved', 'charged', 'fulfilling')`),
  ],
);

const orderRef = () => ({
  orderId: uuid('order_id')
    .notNull()
    .references(() => orders.id),
  generation: integer().notNull(),
});

export const sagaSteps = pgTable(
  'saga_steps',
  {
    ...orderRef(),
    step: text({ enum: ORDER_STEPS }).notNull(),
    kind: text({ enum: STEP_KINDS }).notNull(),
    state: text({ enum: STEP_STATES }).notNull(),
    attempts: integer().notNull().default(0),
    /** Increased when the service will never accept the step under the present key. */
    keySerial: integer('key_serial').notNull().default(1),
    result: jsonb(),
    errorType: text('error_type'),
    errorMessage: text('error_message'),
    startedAt: at('started_at').notNull().defaultNow(),
    finishedAt: at('finished_at'),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.generation, table.step, table.kind] }),
    check('saga_steps_step', oneOf('step', ORDER_STEPS)),
    check('saga_steps_kind', oneOf('kind', STEP_KINDS)),
    check('saga_steps_state', oneOf('state', STEP_STATES)),
    index('saga_steps_retrying')
      .on(table.startedAt)
      .where(sql`state = 'retrying'`),
  ],
);

/**
 * The record of every attempt: what `saga_steps` says now, as it came about. Append-only, which a trigger enforces. No personal data.
 */
export const attemptEvents = pgTable(
  'attempt_events',
  {
    /** No foreign key: its check would lock the order, at any time and thus out of turn. */
    orderId: uuid('order_id').notNull(),
    generation: integer().notNull(),
    id: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    /** A step, or the template of an email. */
    step: text().notNull(),
    kind: text({ enum: ATTEMPT_KINDS }).notNull(),
    /** Several emails of an order may have the same template. */
    emailKey: text('email_key'),
    /** From 1. */
    attempt: integer().notNull(),
    type: text({ enum: ATTEMPT_EVENT_TYPES }).notNull(),
    /** The process that recorded it, as Temporal names it: `<pid>@<host>`. */
    worker: text().notNull(),
    /** How long the attempt took, where it ended. */
    durationMs: integer('duration_ms'),
    errorType: text('error_type'),
    errorMessage: text('error_message'),
    at: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.id] }),
    check('attempt_events_kind', oneOf('kind', ATTEMPT_KINDS)),
    check('attempt_events_type', oneOf('type', ATTEMPT_EVENT_TYPES)),
  ],
);

export const reservations = pgTable(
  'reservations',
  {
    ...orderRef(),
    sku: text()
      .notNull()
      .references(() => stock.sku),
    quantity: integer().notNull(),
    releasedAt: at('released_at'),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.generation, table.sku] }),
    check('reservations_quantity', sql`quantity > 0`),
  ],
);

/**
 * One payment for each generation of an order. The row is written before the provider is asked for money. It
 * decides which payment intent may be confirmed, so that two attempts can never confirm two.
 */
export const payments = pgTable(
  'payments',
  {
    id: uuid().primaryKey(),
    ...orderRef(),
    state: text({ enum: PAYMENT_STATES }).notNull(),
    providerPaymentId: text('provider_payment_id').unique(),
    amount: integer().notNull(),
    currency: text().notNull(),
    captured: integer().notNull().default(0),
    refunded: integer().notNull().default(0),
    /** Increased when the provider repeats a stored failure for the present key. */
    keySerial: integer('key_serial').notNull().default(1),
    capturedAt: at('captured_at'),
    /** When the provider reported by itself that it was paid, before the charge had its answer. */
    paidReportedAt: at('paid_reported_at'),
    createdAt: createdAt(),
  },
  (table) => [
    unique('payments_one_per_generation').on(table.orderId, table.generation),
    index('payments_created').on(table.createdAt),
    index('payments_captured').using('brin', table.capturedAt),
    check('payments_captured', sql`captured between 0 and amount`),
    check('payments_refunded', sql`refunded between 0 and captured`),
  ],
);

/** Those that the provider knows, and those that a person made by hand. Only succeeded ones are part of `payments.refunded`. */
export const refunds = pgTable(
  'refunds',
  {
    providerRefundId: text('provider_refund_id').primaryKey(),
    paymentId: uuid('payment_id')
      .notNull()
      .references(() => payments.id),
    amount: integer().notNull(),
    status: text({ enum: REFUND_STATUSES }).notNull(),
    createdAt: createdAt(),
    /** When it got its present status. */
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('refunds_payment').on(table.paymentId),
    index('refunds_created').on(table.createdAt),
    check('refunds_amount', sql`amount > 0`),
    check('refunds_status', oneOf('status', REFUND_STATUSES)),
  ],
);

/** Payments that a customer disputes with the bank. */
export const disputes = pgTable(
  'disputes',
  {
    providerDisputeId: text('provider_dispute_id').primaryKey(),
    paymentId: uuid('payment_id')
      .notNull()
      .references(() => payments.id),
    amount: integer().notNull(),
    currency: text().notNull(),
    /** The provider's word, e.g. `fraudulent`. */
    reason: text().notNull(),
    status: text({ enum: DISPUTE_STATUSES }).notNull(),
    /** Until when the provider takes evidence. */
    dueBy: at('due_by'),
    openedAt: at('opened_at').notNull(),
    /** When the provider made the latest report that is recorded here. */
    reportedAt: at('reported_at').notNull(),
  },
  (table) => [index('disputes_payment').on(table.paymentId), check('disputes_status', oneOf('status', DISPUTE_STATUSES))],
);

export const shipments = pgTable(
  'shipments',
  {
    ...orderRef(),
    state: text({ enum: SHIPMENT_STATES }).notNull(),
    warehouseId: text('warehouse_id').notNull(),
    carrier: text(),
    trackingNumber: text('tracking_number'),
    acceptedAt: at('accepted_at').notNull().defaultNow(),
    shippedAt: at('shipped_at'),
    deliveredAt: at('delivered_at'),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.generation] }),
    index('shipments_tracking')
      .on(table.trackingNumber)
      .where(sql`tracking_number is not null`),
  ],
);

/** Gives out numbers in the transaction that writes the invoice. A sequence would leave gaps. */
export const invoiceCounter = pgTable('invoice_counter', {
  id: boolean().primaryKey().default(true),
  lastNumber: integer('last_number').notNull(),
});

export const invoices = pgTable(
  'invoices',
  {
    number: integer().primaryKey(),
    ...orderRef(),
    amount: integer().notNull(),
    currency: text().notNull(),
    /** Stored by an earlier version. Now an invoice is rendered when it is asked for (see `views/invoice-pdf.ts`). */
    pdf: bytes(),
    issuedAt: at('issued_at').notNull().defaultNow(),
    voidedAt: at('voided_at'),
  },
  (table) => [unique('invoices_one_per_generation').on(table.orderId, table.generation)],
);

/** Whether an email counts towards the cap of its address. In the words of its index, as above. */
export const isCappedEmail = sql`status = 'sent' and ${oneOf('template', CAPPED_TEMPLATES)}`;

/** One row for each email that the mail server has taken, or that was suppressed. `key` is its idempotency key. */
export const emails = pgTable(
  'emails',
  {
    key: text().primaryKey(),
    template: text().notNull(),
    recipient: text().notNull(),
    /** Null if it was suppressed: it was not written. */
    subject: text(),
    status: text({ enum: EMAIL_STATUSES }).notNull().default('sent'),
    orderId: uuid('order_id').references(() => orders.id),
    signupId: uuid('signup_id').references(() => signups.id),
    /** When it was sent or suppressed. */
    sentAt: at('sent_at').notNull().defaultNow(),
  },
  (table) => [
    index('emails_order').on(table.orderId),
    index('emails_signup').on(table.signupId),
    // Not the emails of an order that goes well, so that sending them does not write to it.
    index('emails_capped')
      .on(sql`lower(${table.recipient})`, table.sentAt)
      .where(isCappedEmail),
    check('emails_status', oneOf('status', EMAIL_STATUSES)),
    check('emails_subject', sql`status = 'suppressed' or subject is not null`),
  ],
);

// ---------------------------------------------------------------- commands and webhooks

/** The outbox to Temporal: written in the transaction of the request, delivered by the dispatcher. */
export const commands = pgTable(
  'commands',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    workflowId: text('workflow_id').notNull(),
    /** Of a new order or signup: the API key that it belongs to. The commands of different owners are delivered in turn. */
    owner: uuid(),
    body: jsonb().notNull(),
    state: text({ enum: COMMAND_STATES }).notNull().default('pending'),
    /** How often its delivery was attempted. Attempts that ended because Temporal was away do not count. */
    attempts: integer().notNull().default(0),
    /** When a pending command is due. In the future while it backs off, or while a dispatcher holds its lease. */
    nextAttemptAt: at('next_attempt_at').notNull().defaultNow(),
    /** Why the last attempt failed. Kept while it is tried again. */
    lastError: text('last_error'),
    createdAt: createdAt(),
    /** When it was delivered or discarded. */
    deliveredAt: at('delivered_at'),
  },
  (table) => [
    check('commands_state', oneOf('state', COMMAND_STATES)),
    index('commands_due')
      .on(table.owner, table.nextAttemptAt, table.id)
      .where(sql`state = 'pending'`),
    index('commands_workflow').on(table.workflowId),
    index('commands_delivered').on(table.deliveredAt),
  ],
);

/** Events that a provider sent, each stored once. */
export const webhookEvents = pgTable(
  'webhook_events',
  {
    source: text().notNull(),
    eventId: text('event_id').notNull(),
    type: text().notNull(),
    receivedAt: at('received_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.source, table.eventId] }), index('webhook_events_age').on(table.receivedAt)],
);

// ---------------------------------------------------------------- failures

/** One row for each thing that needs, or needed, attention. */
export const failures = pgTable(
  'failures',
  {
    id: uuid().primaryKey(),
    kind: text({ enum: FAILURE_KINDS }).notNull(),
    status: text({ enum: FAILURE_STATUSES }).notNull(),
    workflowId: text('workflow_id').notNull(),
    runId: text('run_id'),
    orderId: uuid('order_id').references(() => orders.id),
    signupId: uuid('signup_id').references(() => signups.id),
    generation: integer(),
    step: text().notNull(),
    /** The key of the email that failed. Several of one template may fail, and each is sent again by itself. */
    emailKey: text('email_key'),
    errorType: text('error_type').notNull(),
    errorMessage: text('error_message').notNull(),
    attempts: integer().notNull(),
    /** How often it was opened: 2 after a retry that failed again. */
    occurrence: integer().notNull().default(1),
    /** The status that the order returns to when the step is retried. */
    resumeStatus: text('resume_status', { enum: ORDER_STATUSES }),
    firstSeenAt: at('first_seen_at').notNull().defaultNow(),
    lastSeenAt: at('last_seen_at').notNull().defaultNow(),
    /** When a failing compensation is tried next. */
    nextRetryAt: at('next_retry_at'),
    closedAt: at('closed_at'),
    /** The bulk action that acted on it last. */
    bulkActionId: uuid('bulk_action_id'),
  },
  (table) => [
    check('failures_kind', oneOf('kind', FAILURE_KINDS)),
    check('failures_status', oneOf('status', FAILURE_STATUSES)),
    uniqueIndex('failures_one_live')
      .on(
        table.workflowId,
        table.kind,
        table.step,
        sql`coalesce(${table.emailKey}, '')`,
        sql`coalesce(case when ${oneOf('kind', OUTLASTING_FAILURE_KINDS)} then ${table.generation} end, 0)`,
      )
      .where(sql`status in ('open', 'retrying')`),
    index('failures_status_id').on(table.status, table.id),
    index('failures_order').on(table.orderId),
    index('failures_workflow').on(table.workflowId),
    index('failures_age').on(table.firstSeenAt),
    index('failures_open_group')
      .on(table.kind, table.step, table.errorType)
      .where(sql`status = 'open'`),
  ],
);

export const failureEvents = pgTable(
  'failure_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    failureId: uuid('failure_id').notNull(),
    type: text({
      enum: FAILURE_EVENT_TYPES,
    }).notNull(),
    actor: text().notNull(),
    reason: text().notNull(),
    at: createdAt(),
  },
  (table) => [
    foreignKey({ columns: [table.failureId], foreignColumns: [failures.id] }),
    index('failure_events_failure').on(table.failureId, table.id),
  ],
);

/**
 * What is, or was, worth waking somebody up for: a group of similar failures, or a backlog. The next outage is another row. See
 * `alerts/watch.ts`.
 */
export const alerts = pgTable(
  'alerts',
  {
    id: uuid().primaryKey(),
    /** e.g. `step/ship/warehouse_unavailable`, `workers/orders` */
    subject: text().notNull(),
    /** Since when there is trouble. */
    since: at('since').notNull(),
    openedAt: at('opened_at').notNull(),
    /** How many messages it has had. */
    messages: integer().notNull().default(0),
    /** The count in the last message; 0 before the first one. */
    announced: integer().notNull().default(0),
    announcedAt: at('announced_at'),
    /** The largest count so far. */
    peak: integer().notNull().default(0),
    /** What the last message said, for the one that says that it is over. */
    content: jsonb().$type<AlertContent>(),
    /** Since when there is no trouble any more. */
    quietSince: at('quiet_since'),
    resolvedAt: at('resolved_at'),
  },
  (table) => [
    uniqueIndex('alerts_one_open')
      .on(table.subject)
      .where(sql`resolved_at is null`),
    index('alerts_age').on(table.resolvedAt),
  ],
);

/** The outbox of alerts: one row for each message and channel. Written with the alert, sent by any process that has the channel. */
export const alertMessages = pgTable(
  'alert_messages',
  {
    alertId: uuid('alert_id')
      .notNull()
      .references(() => alerts.id),
    /** Counts the messages of an alert, from 1. */
    serial: integer().notNull(),
    channel: text({ enum: ALERT_CHANNELS }).notNull(),
    occasion: text({ enum: ALERT_OCCASIONS }).notNull(),
    /** Written once, so that every channel and every attempt says the same. */
    content: jsonb().$type<AlertContent>().notNull(),
    state: text({ enum: ALERT_MESSAGE_STATES }).notNull().default('pending'),
    attempts: integer().notNull().default(0),
    /** In the future while it backs off, or while a process is sending it. */
    nextAttemptAt: at('next_attempt_at').notNull().defaultNow(),
    lastError: text('last_error'),
    createdAt: createdAt(),
    /** When it was sent or given up. */
    settledAt: at('settled_at'),
  },
  (table) => [
    primaryKey({ columns: [table.alertId, table.serial, table.channel] }),
    check('alert_messages_channel', oneOf('channel', ALERT_CHANNELS)),
    check('alert_messages_occasion', oneOf('occasion', ALERT_OCCASIONS)),
    check('alert_messages_state', oneOf('state', ALERT_MESSAGE_STATES)),
    index('alert_messages_due')
      .on(table.nextAttemptAt)
      .where(sql`state = 'pending'`),
    index('alert_messages_age').on(table.settledAt),
  ],
);

/** Of an earlier version. Nothing uses it any more; its rows stay as the history of earlier alerts. */
export const alertGroups = pgTable('alert_groups', {
  group: text().primaryKey(),
  open: boolean().notNull(),
  openedAt: at('opened_at').notNull(),
});

/** One bulk action on many failures or orders, and its state. */
export const bulkActions = pgTable(
  'bulk_actions',
  {
    id: uuid().primaryKey(),
    action: text({ enum: BULK_ACTION_TYPES }).notNull(),
    state: text({ enum: BULK_ACTION_STATES }).notNull(),
    request: jsonb().$type<BulkActionRequest>().notNull(),
    reason: text().notNull(),
    actor: text().notNull(),
    ratePerSecond: integer('rate_per_second').notNull(),
    /** Why it has paused itself. Null if a person has paused it, or it is not paused. */
    pauseReason: text('pause_reason'),
    /** The first results from this position on tell whether it pauses itself. Moved on when a person resumes it. */
    probeFrom: integer('probe_from').notNull().default(0),
    createdAt: createdAt(),
    finishedAt: at('finished_at'),
  },
  () => [check('bulk_actions_action', oneOf('action', BULK_ACTION_TYPES)), check('bulk_actions_state', oneOf('state', BULK_ACTION_STATES))],
);

/**
 * The items of a bulk action, fixed when it starts. Acting on one and marking it here are one transaction, so none is acted on
 * twice. Its result is written once, in the transaction that settles what was acted on: see `records/bulk-action-items.ts`.
 */
export const bulkActionItems = pgTable(
  'bulk_action_items',
  {
    bulkActionId: uuid('bulk_action_id')
      .notNull()
      .references(() => bulkActions.id),
    position: integer().notNull(),
    /** Null for the failure of a signup. */
    orderId: uuid('order_id').references(() => orders.id),
    failureId: uuid('failure_id').references(() => failures.id),
    state: text({ enum: BULK_ACTION_ITEM_STATES }).notNull(),
    /** The occurrence of the failure that was acted on. A later one means that it failed again. */
    occurrence: integer(),
    /** The generation of a restarted order. */
    generation: integer(),
    /** Why it was skipped, or how it failed again. */
    message: text(),
    actedAt: at('acted_at'),
    /** When its result was written. */
    settledAt: at('settled_at'),
  },
  (table) => [
    primaryKey({ columns: [table.bulkActionId, table.position] }),
    check('bulk_action_items_state', oneOf('state', BULK_ACTION_ITEM_STATES)),
    check('bulk_action_items_target', sql`order_id is not null or failure_id is not null`),
    uniqueIndex('bulk_action_items_once').on(table.bulkActionId, table.orderId, table.failureId),
    index('bulk_action_items_pending')
      .on(table.bulkActionId, table.position)
      .where(sql`state = 'pending'`),
    index('bulk_action_items_awaited_failure')
      .on(table.failureId)
      .where(sql`state = 'requested'`),
    index('bulk_action_items_awaited_order')
      .on(table.orderId, table.generation)
      .where(sql`state = 'requested'`),
  ],
);

/** The audit: what operators did, to what and why. Never personal data. */
export const operatorActions = pgTable(
  'operator_actions',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    actor: text().notNull(),
    action: text().notNull(),
    target: text().notNull(),
    reason: text().notNull(),
    at: createdAt(),
  },
  (table) => [index('operator_actions_age').on(table.at)],
);

// ---------------------------------------------------------------- reconciliation

/** Where two records disagree: from the check that first saw it until one finds them equal. See `reconcile/`. */
export const differences = pgTable(
  'differences',
  {
    check: text('check_name', { enum: BOOK_CHECKS }).notNull(),
    subject: text().notNull(),
    what: text().notNull(),
    /** What Postgres says. */
    ours: text().notNull(),
    /** What the other side says. */
    theirs: text().notNull(),
    fix: text({ enum: BOOK_FIXES }),
    orderId: uuid('order_id'),
    signupId: uuid('signup_id'),
    generation: integer(),
    /** Since when the two sides have said this. It is reported once it is old enough. */
    firstSeenAt: at('first_seen_at').notNull().defaultNow(),
    lastSeenAt: at('last_seen_at').notNull().defaultNow(),
    /** The failure that reports it. */
    failureId: uuid('failure_id').references(() => failures.id),
  },
  (table) => [primaryKey({ columns: [table.check, table.subject] }), index('differences_failure').on(table.failureId)],
);

/** The last run of each check. Without an `error`, both sides were compared. */
export const bookChecks = pgTable(
  'book_checks',
  {
    check: text('check_name', { enum: BOOK_CHECKS }).notNull(),
    scope: text({ enum: BOOK_SCOPES }).notNull(),
    startedAt: at('started_at').notNull(),
    finishedAt: at('finished_at').notNull().defaultNow(),
    compared: integer().notNull(),
    /** Why it was not checked, e.g. because the other side did not answer. */
    error: text(),
    /** Until when changes have been compared. The next check of changes begins there. */
    checkedUntil: at('checked_until'),
  },
  (table) => [primaryKey({ columns: [table.check, table.scope] })],
);

// ---------------------------------------------------------------- health

/** How each outside service answers when it is probed. See `health/prober.ts`. */
export const serviceProbes = pgTable(
  'service_probes',
  {
    service: text({ enum: SERVICES }).primaryKey(),
    /** Which worker sets it makes the next probe. */
    nextProbeAt: at('next_probe_at').notNull(),
    /** Since when it has answered every probe. Null while it does not. */
    answeringSince: at('answering_since'),
    lastSuccessAt: at('last_success_at'),
    lastFailureAt: at('last_failure_at'),
    /** What the last failed probe found, e.g. `HTTP 503`. */
    lastError: text('last_error'),
  },
  () => [check('service_probes_service', oneOf('service', SERVICES))],
);

/** The worker processes. One that stops removes its row; that of a killed one grows old. */
export const workers = pgTable(
  'workers',
  {
    /** As Temporal lists it among the pollers of a queue. */
    identity: text().primaryKey(),
    host: text().notNull(),
    version: text().notNull(),
    queues: text({ enum: QUEUE_NAMES }).array().notNull(),
    startedAt: at('started_at').notNull().defaultNow(),
    lastSeenAt: at('last_seen_at').notNull().defaultNow(),
  },
  (table) => [index('workers_last_seen').on(table.lastSeenAt)],
);

// ---------------------------------------------------------------- reports

export const weeklyReports = pgTable('weekly_reports', {
  /** ISO 8601 week, `2026-W47` */
  week: text().primaryKey(),
  timeZone: text('time_zone').notNull(),
  startsAt: at('starts_at').notNull(),
  endsAt: at('ends_at').notNull(),
  figures: jsonb().notNull(),
  chart: text().notNull(),
  createdAt: createdAt(),
});
