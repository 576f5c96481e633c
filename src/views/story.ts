import { z } from '@hono/zod-openapi';
import type { Caller } from '../contracts/caller.ts';
import {
  ATTEMPT_EVENT_TYPES,
  CALL_KINDS,
  CANCELLATION_STATUSES,
  COMMAND_STATES,
  DISPUTE_STATUSES,
  EMAIL_STATUSES,
  ORDER_STATUSES,
  ORDER_STEPS,
  PAYMENT_STATES,
  REFUND_STATUSES,
  SHIPMENT_STATES,
  STEP_KINDS,
  STEP_STATES,
} from '../contracts/statuses.ts';
import type { AttemptEvent } from '../queries/attempts.ts';
import type { CommandRecord } from '../queries/commands.ts';
import type { OrderStory, StepRecord } from '../queries/order-story.ts';
import type { SignupStory } from '../queries/signup-story.ts';
import type { SharedStory } from '../queries/story.ts';
import type { StoryWithRun, FailureWithRun } from '../queries/story-with-run.ts';
import { errorSchema, errorViewFor, iso, money, orNull, time } from './common.ts';
import { failureStoryFields, failureStoryView } from './failure.ts';
import type { Links } from './links.ts';
import { orderSchema, type OrderView } from './order.ts';
import { pendingActivitySchema, pendingActivityView, runSchema, runView, temporalHealth } from './run.ts';
import { signupSchema, signupView } from './signup.ts';

const commandSchema = z
  .strictObject({
    id: z.int(),
    type: z.string().openapi({ description: 'The command, e.g. `start_order`' }),
    state: z.enum(COMMAND_STATES),
    actor: z.string().nullable(),
    lastError: z.string().nullable(),
    createdAt: time,
    deliveredAt: time.nullable(),
  })
  .openapi('Command');

const emailSchema = z
  .strictObject({
    template: z.string(),
    status: z
      .enum(EMAIL_STATUSES)
      .openapi({ description: '`suppressed`: not sent, because its address had as many emails within 24 hours as it may' }),
    subject: z.string().nullable().openapi({ description: 'Null if it was suppressed' }),
    recipient: z.string(),
    sentAt: time.openapi({ description: 'When it was sent or suppressed' }),
  })
  .openapi('Email');

/** What the stories of orders and signups share. */
const sharedFields = {
  emails: z.array(emailSchema),
  commands: z.array(commandSchema).openapi({ description: 'Delivered ones are kept for a week' }),
  failures: z.array(z.strictObject(failureStoryFields)),
  run: orNull(runSchema).openapi({ description: 'The latest run; null when Temporal is away or has forgotten it' }),
  temporal: temporalHealth,
  waitingFor: z.string().nullable().openapi({ description: 'A sentence; null when it has ended' }),
};

const attemptEventSchema = z
  .strictObject({
    attempt: z.int().openapi({ description: 'Its number, from 1' }),
    type: z.enum([...ATTEMPT_EVENT_TYPES, 'lost']).openapi({
      description:
        '`lost`: the attempt had not ended when it was given up. What only uses Postgres has no `started`. `undone` and `settled` are of compensations',
    }),
    at: time,
    durationMs: z.int().nullable().openapi({ description: 'How long the attempt took, where it ended' }),
    error: errorSchema.nullable(),
    worker: z.string().nullable().openapi({ description: 'The process: `<pid>@<host>`. For staff' }),
  })
  .openapi('AttemptEvent');

const eventsField = z.array(attemptEventSchema).openapi({ description: 'What happened to its attempts, oldest first. After the hundredth attempt, only how it ended. Nothing is ever changed' });

const stepFields = {
  step: z.enum(ORDER_STEPS),
  kind: z.enum(STEP_KINDS),
  state: z.enum(STEP_STATES),
  attempts: z.int(),
  error: errorSchema.nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
  generation: z.int(),
  events: eventsField,
};

/** A step as its customer and staff may see it. */
export const sagaStepSchema = z.strictObject(stepFields).openapi('SagaStep');

export const orderStorySchema = z
  .strictObject({
    order: orderSchema,
    cancellationReason: z.string().nullable().openapi({ description: 'Why its cancellation was requested, whatever became of it' }),
    cancellationActor: z.string().nullable().openapi({ description: 'Who requested its cancellation' }),
    statuses: z.array(z.strictObject({ generation: z.int(), status: z.enum(ORDER_STATUSES), at: time })),
    cancellations: z.array(z.strictObject({ generation: z.int(), status: z.enum(CANCELLATION_STATUSES), at: time })),
    steps: z.array(
      z.strictObject({
        ...stepFields,
        actor: z.string().nullable().openapi({ description: 'Who decided, where a person did' }),
        reason: z.string().nullable(),
      }),
    ),
    emailAttempts: z.array(z.strictObject({ generation: z.int(), template: z.string(), events: eventsField })),
    calls: z
      .array(z.strictObject({ generation: z.int(), kind: z.enum(CALL_KINDS), events: eventsField }))
      .openapi({ description: 'Calls that are neither a step nor a compensation: to withdraw a parcel before anything is undone, and to refund again' }),
    payments: z.array(
      z.strictObject({
        id: z.uuid(),
        generation: z.int(),
        status: z.enum(PAYMENT_STATES),
        providerPaymentId: z.string().nullable(),
        amount: money,
        captured: z.int(),
        refunded: z.int(),
        capturedAt: time.nullable(),
        createdAt: time,
        refunds: z.array(
          z.strictObject({
            providerRefundId: z.string(),
            amount: z.int(),
            status: z.enum(REFUND_STATUSES).openapi({ description: 'Only `succeeded` counts as refunded' }),
            createdAt: time,
            updatedAt: time.openapi({ description: 'When it got its present status' }),
          }),
        ),
        disputes: z.array(
          z.strictObject({
            providerDisputeId: z.string(),
            amount: money,
            reason: z.string().openapi({ example: 'fraudulent' }),
            status: z.enum(DISPUTE_STATUSES),
            dueBy: time.nullable().openapi({ description: 'Until when the provider takes evidence' }),
            openedAt: time,
            reportedAt: time.openapi({ description: 'When the provider last reported it' }),
          }),
        ),
      }),
    ),
    shipments: z.array(
      z.strictObject({
        generation: z.int(),
        status: z.enum(SHIPMENT_STATES),
        warehouseId: z.string(),
        carrier: z.string().nullable(),
        trackingNumber: z.string().nullable(),
        acceptedAt: time,
        shippedAt: time.nullable(),
        deliveredAt: time.nullable(),
      }),
    ),
    invoices: z.array(
      z.strictObject({
        number: z.int(),
        generation: z.int(),
        total: money,
        issuedAt: time,
        voidedAt: time.nullable(),
      }),
    ),
    ...sharedFields,
  })
  .openapi('OrderStory');

export const failureStorySchema = z
  .strictObject({
    ...failureStoryFields,
    pending: z
      .array(pendingActivitySchema)
      .nullable()
      .openapi({ description: 'The activities that its run waits for; null when Temporal is away' }),
    temporal: temporalHealth,
  })
  .openapi('FailureStory');

export const signupStorySchema = z.strictObject({ signup: signupSchema, ...sharedFields }).openapi('SignupStory');

/** @returns something that happened to an attempt, as a caller may see it */
const attemptEventView = (
  { attempt, type, at, durationMs, errorType, errorMessage, worker }: AttemptEvent,
  caller: Caller,
): z.infer<typeof attemptEventSchema> => ({
  attempt,
  type,
  at: at.toISOString(),
  durationMs,
  error: errorViewFor(caller, errorType, errorMessage),
  worker: caller.role === 'customer' ? null : worker,
});

/** @returns a step as a caller may see it */
export const sagaStepView = (step: StepRecord, caller: Caller): z.infer<typeof sagaStepSchema> => ({
  step: step.step,
  kind: step.kind,
  state: step.state,
  attempts: step.attempts,
  error: errorViewFor(caller, step.errorType, step.errorMessage),
  startedAt: step.startedAt.toISOString(),
  finishedAt: iso(step.finishedAt),
  generation: step.generation,
  events: step.events.map((event) => attemptEventView(event, caller)),
});

const commandView = (command: CommandRecord): z.infer<typeof commandSchema> => ({
  ...command,
  createdAt: command.createdAt.toISOString(),
  deliveredAt: iso(command.deliveredAt),
});

const sharedView = ({ story, temporal, run, waitingFor }: StoryWithRun<SharedStory>, links: Links) => ({
  emails: story.emails.map((email) => ({ ...email, sentAt: email.sentAt.toISOString() })),
  commands: story.commands.map(commandView),
  failures: story.failures.map((failure) => failureStoryView(failure, links)),
  run: run && runView(run),
  temporal,
  waitingFor,
});

/** @returns the story of a signup as the API shows it to a caller */
export const signupStoryView = (
  loaded: StoryWithRun<SignupStory>,
  links: Links,
  caller: Caller,
): z.infer<typeof signupStorySchema> => ({
  signup: signupView(loaded.story.signup, links, caller),
  ...sharedView(loaded, links),
});

/** @returns the story of an order as API and command line show it. @param order the same order as it is now */
export function orderStoryView(
  loaded: StoryWithRun<OrderStory>,
  order: OrderView,
  links: Links,
  caller: Caller,
): z.infer<typeof orderStorySchema> {
  const { statuses, cancellations, steps, emailAttempts, calls, payments, shipments, invoices } = loaded.story;
  return {
    order,
    cancellationReason: loaded.story.order.cancellationReason,
    cancellationActor: loaded.story.order.cancellationActor,
    statuses: statuses.map(({ generation, status, at }) => ({ generation, status, at: at.toISOString() })),
    cancellations: cancellations.map(({ generation, cancellation: status, at }) => ({ generation, status, at: at.toISOString() })),
    steps: steps.map((step) => ({ ...sagaStepView(step, caller), actor: step.actor, reason: step.reason })),
    emailAttempts: emailAttempts.map(({ generation, step, events }) => ({
      generation,
      template: step,
      events: events.map((event) => attemptEventView(event, caller)),
    })),
    calls: calls.map(({ generation, kind, events }) => ({
      generation,
      kind,
      events: events.map((event) => attemptEventView(event, caller)),
    })),
    payments: payments.map((payment) => ({
      id: payment.id,
      generation: payment.generation,
      status: payment.state,
      providerPaymentId: payment.providerPaymentId,
      amount: { amount: payment.amount, currency: payment.currency },
      captured: payment.captured,
      refunded: payment.refunded,
      capturedAt: iso(payment.capturedAt),
      createdAt: payment.createdAt.toISOString(),
      refunds: payment.refunds.map(({ providerRefundId, amount, status, createdAt, updatedAt }) => ({
        providerRefundId,
        amount,
        status,
        createdAt: createdAt.toISOString(),
        updatedAt: updatedAt.toISOString(),
      })),
      disputes: payment.disputes.map(({ providerDisputeId, amount, currency, reason, status, dueBy, openedAt, reportedAt }) => ({
        providerDisputeId,
        amount: { amount, currency },
        reason,
        status,
        dueBy: iso(dueBy),
        openedAt: openedAt.toISOString(),
        reportedAt: reportedAt.toISOString(),
      })),
    })),
    shipments: shipments.map((shipment) => ({
      generation: shipment.generation,
      status: shipment.state,
      warehouseId: shipment.warehouseId,
      carrier: shipment.carrier,
      trackingNumber: shipment.trackingNumber,
      acceptedAt: shipment.acceptedAt.toISOString(),
      shippedAt: iso(shipment.shippedAt),
      deliveredAt: iso(shipment.deliveredAt),
    })),
    invoices: invoices.map(({ number, generation, amount, currency, issuedAt, voidedAt }) => ({
      number,
      generation,
      total: { amount, currency },
      issuedAt: issuedAt.toISOString(),
      voidedAt: iso(voidedAt),
    })),
    ...sharedView(loaded, links),
  };
}

/** @returns a failure with its history and what its run is doing, as API and command line show it */
export const failureWithRunView = (loaded: FailureWithRun, links: Links): z.infer<typeof failureStorySchema> => ({
  ...failureStoryView(loaded, links),
  pending: loaded.temporal === 'ok' ? (loaded.run?.pendingActivities ?? []).map(pendingActivityView) : null,
  temporal: loaded.temporal,
});
