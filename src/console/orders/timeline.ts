import { formatMoney } from '../../contracts/money.ts';
import type { RefundStatus } from '../../contracts/statuses.ts';
import type { OrderStory, StepRecord } from '../../queries/order-story.ts';
import { words } from '../kit/format.tsx';
import { TONES } from '../kit/status.tsx';
import { momentAt, type Moment } from '../kit/timeline.tsx';

const REFUNDS: Record<RefundStatus, string> = {
  pending: 'refund under way',
  requires_action: 'refund waits for the customer',
  succeeded: 'refunded',
  failed: 'refund failed',
  canceled: 'refund cancelled',
};

/** @returns what happened to an order itself */
export function orderMoments({ order, statuses, steps, payments, shipments, invoices }: OrderStory): Moment[] {
  return [
    ...statuses.map(
      ({ at, status, generation }): Moment => ({
        at,
        tone: TONES[status],
        what: `Order ${words(status)}`,
        detail: order.generation > 1 ? `generation ${generation}` : null,
      }),
    ),
    ...steps.map(stepMoment),
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

function stepMoment({ step, kind, state, attempts, startedAt, finishedAt, actor, reason, ...error }: StepRecord): Moment {
  const tries = attempts > 1 ? `${attempts} attempts` : null;
  const message = error.errorType && state !== 'done' ? `${words(error.errorType)}: ${error.errorMessage ?? ''}` : null;
  return {
    at: finishedAt ?? startedAt,
    tone: TONES[state],
    what: `${kind === 'compensation' ? 'Compensation' : 'Step'} "${words(step)}": ${words(state)}`,
    detail: [tries, reason, message].filter(Boolean).join('; '),
    actor,
  };
}
