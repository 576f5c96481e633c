import { z } from '@hono/zod-openapi';
import { COMMAND_STATES, ORDER_STATUSES, ORDER_STEPS, STEP_KINDS, STEP_STATES } from '../../contracts/statuses.ts';
import type { CommandRecord } from '../../ops/commands.ts';
import type { FailureStory } from '../../ops/failures.ts';
import type { OrderStory } from '../../ops/order-story.ts';
import type { RunState } from '../../ops/runs.ts';
import type { Links } from '../links.ts';
import { money, time } from '../schemas/common.ts';
import { failureEventSchema, failureSchema, failureView } from './failure.ts';
import { orderSchema } from './order.ts';
import { pendingActivitySchema, pendingActivityView, temporalHealth } from './run.ts';
import { signupSchema } from './signup.ts';

const commandSchema = z
  .strictObject({
    id: z.int(),
    type: z.string().openapi({ description: 'What the workflow is told, e.g. `start_order`' }),
    state: z.enum(COMMAND_STATES),
    actor: z.string().nullable(),
    reason: z.string().nullable(),
    lastError: z.string().nullable(),
    createdAt: time,
    deliveredAt: time.nullable(),
  })
  .openapi('Command');

const emailSchema = z
  .strictObject({ template: z.string(), subject: z.string(), recipient: z.string(), sentAt: time })
  .openapi('SentEmail');

export const runSchema = z
  .strictObject({
    runId: z.string(),
    status: z.string().openapi({ example: 'RUNNING' }),
    startedAt: time,
    closedAt: time.nullable(),
    workflowTaskAttempt: z.int().openapi({ description: 'More than one: the code of the workflow fails' }),
    pending: z.array(pendingActivitySchema),
  })
  .openapi('Run');

const failureStorySchema = failureSchema.extend({ events: z.array(failureEventSchema) });

/** What the stories of orders and signups have in common. */
const told = {
  emails: z.array(emailSchema),
  commands: z.array(commandSchema).openapi({ description: 'Those that were delivered are kept for a week' }),
  failures: z.array(failureStorySchema),
  run: runSchema.nullable().openapi({ description: 'The latest run; null when Temporal is away or has forgotten it' }),
  temporal: temporalHealth,
  waitingFor: z.string().nullable().openapi({ description: 'A sentence; null when it has ended' }),
};

export const orderStorySchema = z
  .strictObject({
    order: orderSchema,
    statuses: z.array(z.strictObject({ generation: z.int(), status: z.enum(ORDER_STATUSES), at: time })),
    steps: z.array(
      z.strictObject({
        generation: z.int(),
        step: z.enum(ORDER_STEPS),
        kind: z.enum(STEP_KINDS),
        state: z.enum(STEP_STATES),
        attempts: z.int(),
        error: z.strictObject({ type: z.string(), message: z.string() }).nullable(),
        actor: z.string().nullable().openapi({ description: 'Who decided, where a person did' }),
        reason: z.string().nullable(),
        startedAt: time,
        finishedAt: time.nullable(),
      }),
    ),
    payments: z.array(
      z.strictObject({
        id: z.uuid(),
        generation: z.int(),
        status: z.string(),
        providerPaymentId: z.string().nullable(),
        amount: money,
        captured: z.int(),
        refunded: z.int(),
        capturedAt: time.nullable(),
        createdAt: time,
        refunds: z.array(z.strictObject({ providerRefundId: z.string(), amount: z.int(), createdAt: time })),
      }),
    ),
    shipments: z.array(
      z.strictObject({
        generation: z.int(),
        status: z.string(),
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
    ...told,
  })
  .openapi('OrderStory');

export const signupStorySchema = z.strictObject({ signup: signupSchema, ...told }).openapi('SignupStory');

const iso = (date: Date | null | undefined): string | null => date?.toISOString() ?? null;

const runView = (run: RunState): z.infer<typeof runSchema> => ({
  runId: run.runId,
  status: run.status,
  startedAt: run.startedAt.toISOString(),
  closedAt: iso(run.closedAt),
  workflowTaskAttempt: run.workflowTaskAttempt,
  pending: run.pendingActivities.map(pendingActivityView),
});

const commandView = (command: CommandRecord): z.infer<typeof commandSchema> => ({
  ...command,
  createdAt: command.createdAt.toISOString(),
  deliveredAt: iso(command.deliveredAt),
});

const failureStoryView = ({ failure, events }: FailureStory, links: Links): z.infer<typeof failureStorySchema> => ({
  ...failureView(failure, links),
  events: events.map(({ type, actor, reason, at }) => ({ type, actor, reason, at: at.toISOString() })),
});

/** @returns what the stories of orders and signups have in common, as the API shows it. */
export function toldView(
  { story, temporal, run, waitingFor }: {
    story: Pick<OrderStory, 'emails' | 'commands' | 'failures'>;
    temporal: 'ok' | 'unavailable';
    run: RunState | null;
    waitingFor: string | null;
  },
  links: Links,
) {
  return {
    emails: story.emails.map((email) => ({ ...email, sentAt: email.sentAt.toISOString() })),
    commands: story.commands.map(commandView),
    failures: story.failures.map((failure) => failureStoryView(failure, links)),
    run: run && runView(run),
    temporal,
    waitingFor,
  };
}

/** @returns what an order has behind it, as the API shows it. */
export function orderPastView({ statuses, steps, payments, shipments, invoices }: OrderStory) {
  return {
    statuses: statuses.map(({ generation, status, at }) => ({ generation, status, at: at.toISOString() })),
    steps: steps.map(({ errorType, errorMessage, startedAt, finishedAt, ...step }) => ({
      ...step,
      error: errorType === null ? null : { type: errorType, message: errorMessage ?? '' },
      startedAt: startedAt.toISOString(),
      finishedAt: iso(finishedAt),
    })),
    payments: payments.map(({ id, generation, state, providerPaymentId, amount, currency, captured, refunded, ...payment }) => ({
      id,
      generation,
      status: state,
      providerPaymentId,
      amount: { amount, currency },
      captured,
      refunded,
      capturedAt: iso(payment.capturedAt),
      createdAt: payment.createdAt.toISOString(),
      refunds: payment.refunds.map((refund) => ({
        providerRefundId: refund.providerRefundId,
        amount: refund.amount,
        createdAt: refund.createdAt.toISOString(),
      })),
    })),
    shipments: shipments.map(({ generation, state, warehouseId, carrier, trackingNumber, ...shipment }) => ({
      generation,
      status: state,
      warehouseId,
      carrier,
      trackingNumber,
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
  };
}
