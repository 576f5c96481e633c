import { took } from '../../contracts/duration-format.ts';
import { formatMoney } from '../../contracts/money.ts';
import { withoutStop } from '../../contracts/sentences.ts';
import type { CancellationStatus, RefundStatus } from '../../contracts/statuses.ts';
import type { CallHistory } from '../../queries/calls.ts';
import type { OrderStory, StepRecord } from '../../queries/order-story.ts';
import { happened, isStillPending, leftOut, type AttemptEvent, type AttemptHistory } from '../../queries/attempts.ts';
import { plural, words } from '../kit/format.tsx';
import { TONES, type Tone } from '../kit/status.tsx';
import { momentAt, type Moment } from '../kit/timeline.tsx';

const REFUNDS: Record<RefundStatus, string> = {
  pending: 'refund under way',
  requires_action: 'refund waits for the customer',
  succeeded: 'refunded',
  failed: 'refund failed',
  canceled: 'refund cancelled',
};

const CANCELLATIONS: Record<CancellationStatus, string> = {
  requested: 'Cancellation requested',
  done: 'Cancellation done',
  refused: 'Cancellation refused: the parcel had left',
};

/** @returns what happened to an order itself */
export function orderMoments({ order, statuses, cancellations, steps, emailAttempts, calls, payments, shipments, invoices }: OrderStory): Moment[] {
  return [
    ...statuses.map(
      ({ at, status, generation }): Moment => ({
        at,
        tone: TONES[status],
        what: `Order ${words(status)}`,
        detail: order.generation > 1 ? `generation ${generation}` : null,
      }),
    ),
    ...cancellations.map(
      ({ at, cancellation, generation }): Moment => ({
        at,
        tone: TONES[cancellation],
        what: CANCELLATIONS[cancellation],
        // Those of earlier generations are in the audit.
        ...(cancellation === 'requested' && generation === order.generation && { detail: order.cancellationReason, actor: order.cancellationActor }),
      }),
    ),
    ...steps.flatMap((step) => [...step.events.map((event) => stepMoment(step, event)), ...moreMoments(step)]),
    // An email that was sent is among the emails.
    ...emailAttempts.flatMap((email) => email.events.filter(({ type }) => type !== 'done').map((event) => attemptMoment(email, event))),
    ...calls.flatMap((call) => [...call.events.map((event) => attemptMoment(call, event)), ...moreMoments(call)]),
    ...payments.flatMap(({ currency, captured, capturedAt, refunds, disputes }) => [
      ...momentAt(capturedAt, 'good', `${formatMoney(captured, currency)} captured`),
      ...refunds.map(
        ({ amount, status, updatedAt }): Moment => ({
          at: updatedAt,
          tone: TONES[status],
          what: `${formatMoney(amount, currency)} ${REFUNDS[status]}`,
        }),
      ),
      ...disputes.flatMap((dispute): Moment[] => [
        { at: dispute.openedAt, tone: 'bad', what: `${formatMoney(dispute.amount, dispute.currency)} disputed`, detail: words(dispute.reason) },
        { at: dispute.reportedAt, tone: TONES[dispute.status], what: `Dispute: ${words(dispute.status)}` },
      ]),
    ]),
    ...shipments.flatMap(({ acceptedAt, shippedAt, deliveredAt, carrier, trackingNumber }) => [
      ...momentAt(acceptedAt, 'good', 'Accepted by the warehouse'),
      ...momentAt(shippedAt, 'good', 'Shipped', [carrier, trackingNumber].filter(Boolean).join(' ')),
      ...momentAt(deliveredAt, 'good', 'Delivered'),
    ]),
    ...invoices.flatMap(({ number, amount, currency, issuedAt, voidedAt }) => [
      ...momentAt(issuedAt, 'good', `Invoice ${number} for ${formatMoney(amount, currency)} issued`),
      ...momentAt(voidedAt, 'quiet', `Invoice ${number} voided`),
    ]),
  ];
}

const SUBJECTS: Record<AttemptHistory['kind'], (step: string) => string> = {
  step: (step) => (step === 'approval' ? 'Approval' : `Step "${words(step)}":`),
  compensation: (step) => `Compensation "${words(step)}":`,
  email: (template) => `Email "${words(template)}":`,
  withdrawal: () => 'Withdrawal of the parcel:',
  refund: () => 'Refund requested again:',
};

function toneOf(event: AttemptEvent): Tone {
  if (event.type === 'lost') return 'warn';
  return isStillPending(event) ? 'busy' : TONES[event.type];
}

function attemptMoment(of: Pick<AttemptHistory, 'kind' | 'step'>, event: AttemptEvent): Moment {
  const { at, durationMs, errorType, errorMessage, worker } = event;
  const error = errorType && `${words(errorType)}: ${errorMessage ?? ''}`;
  const lasted = durationMs === null ? null : `after ${took(durationMs)}`;
  return {
    at,
    tone: toneOf(event),
    what: `${SUBJECTS[of.kind](of.step)} ${happened(of, event)}`,
    detail: noted(error, [lasted, worker && `on ${worker}`].filter(Boolean).join(' ')),
  };
}

/** @returns that there were more attempts than there are entries, and the latest error if it is one of theirs */
function moreMoments(of: StepRecord | CallHistory): Moment[] {
  const { kind, step, errorType, errorMessage } = of;
  const more = leftOut(of);
  if (!more) return [];
  const latest = more.areLatest && errorType ? `the latest: ${words(errorType)}: ${errorMessage ?? ''}` : null;
  return [{ at: more.after, tone: 'warn', what: `${SUBJECTS[kind](step)} ${plural(more.count, 'more attempt')}`, detail: latest }];
}

/** A person's decision, and its reason, belong to the event that it caused. */
function stepMoment(step: StepRecord, event: AttemptEvent): Moment {
  const moment = attemptMoment(step, event);
  const isDecided = event.type === 'done' || event.type === 'refused' || event.type === 'settled';
  if (!isDecided) return moment;
  return { ...moment, actor: step.actor, detail: noted(step.reason, moment.detail) };
}

/** @returns two notes as one text. A full stop within it would end it twice. */
function noted(first: string | null, second: string | null | undefined): string {
  return [first && second ? withoutStop(first) : first, second].filter(Boolean).join('; ');
}
