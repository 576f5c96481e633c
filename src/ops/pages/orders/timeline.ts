import { formatMoney } from '../../../contracts/money.ts';
import type { CommandRecord } from '../../commands.ts';
import type { FailureStory } from '../../failures.ts';
import type { EmailRecord, OrderStory } from '../../order-story.ts';
import { words } from '../format.tsx';

/** One thing that happened. */
export interface Moment {
  at: Date;
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'quiet';
  what: string;
  detail?: string | undefined;
  actor?: string | undefined;
  /** A page that says more. */
  href?: string;
}

/** @returns everything that happened to an order, in the order of its happening */
export function orderTimeline(story: OrderStory): Moment[] {
  const { order, statuses, steps, payments, shipments, invoices } = story;
  const several = order.generation > 1;
  const moments: Moment[] = [
    ...statuses.map(({ at, status, generation }): Moment => ({
      at,
      tone: status === 'completed' ? 'good' : status === 'failed' || status === 'needs_attention' ? 'bad' : 'busy',
      what: `Order ${words(status)}`,
      detail: several ? `generation ${generation}` : undefined,
    })),
    ...steps.flatMap((step): Moment[] => {
      const name = step.kind === 'compensation' ? `Undoing "${words(step.step)}"` : `Step "${words(step.step)}"`;
      const tries = step.attempts > 1 ? `${step.attempts} attempts` : undefined;
      const error = step.errorType ? `${words(step.errorType)}: ${step.errorMessage ?? ''}` : undefined;
      const detail = [tries, step.reason ?? undefined, step.state === 'done' ? undefined : error].filter(Boolean).join('; ') || undefined;
      const bad = step.state === 'exhausted';
      return [
        {
          at: step.finishedAt ?? step.startedAt,
          tone: bad ? 'bad' : step.state === 'done' || step.state === 'undone' ? 'good' : 'warn',
          what: `${name}: ${words(step.state)}`,
          detail,
          actor: step.actor ?? undefined,
        },
      ];
    }),
    ...payments.flatMap(({ currency, captured, capturedAt, refunds }): Moment[] => [
      ...(capturedAt ? [{ at: capturedAt, tone: 'good' as const, what: `${formatMoney(captured, currency)} taken` }] : []),
      ...refunds.map(({ amount, createdAt }): Moment => ({
        at: createdAt,
        tone: 'quiet',
        what: `${formatMoney(amount, currency)} given back`,
      })),
    ]),
    ...shipments.flatMap(({ acceptedAt, shippedAt, deliveredAt, carrier, trackingNumber }): Moment[] => [
      { at: acceptedAt, tone: 'good', what: 'Taken by the warehouse' },
      ...(shippedAt
        ? [{ at: shippedAt, tone: 'good' as const, what: 'Shipped', detail: [carrier, trackingNumber].filter(Boolean).join(' ') }]
        : []),
      ...(deliveredAt ? [{ at: deliveredAt, tone: 'good' as const, what: 'Delivered' }] : []),
    ]),
    ...invoices.flatMap(({ number, amount, currency, issuedAt, voidedAt }): Moment[] => [
      { at: issuedAt, tone: 'good', what: `Invoice ${number} over ${formatMoney(amount, currency)}` },
      ...(voidedAt ? [{ at: voidedAt, tone: 'quiet' as const, what: `Invoice ${number} voided` }] : []),
    ]),
    ...sharedMoments(story),
  ];
  return inOrder(moments);
}

/** @returns what orders and signups have in common: emails, commands, failures */
export function sharedMoments(story: { emails: EmailRecord[]; commands: CommandRecord[]; failures: FailureStory[] }): Moment[] {
  return [
    ...story.emails.map(({ sentAt, subject, recipient }): Moment => ({
      at: sentAt,
      tone: 'quiet',
      what: `Email: ${subject}`,
      detail: `to ${recipient}`,
    })),
    ...story.commands.map(({ createdAt, type, state, actor, reason, lastError }): Moment => ({
      at: createdAt,
      tone: state === 'set_aside' ? 'bad' : state === 'pending' ? 'busy' : 'quiet',
      what: `Told "${type}"${state === 'delivered' ? '' : ` (${words(state)})`}`,
      detail: [reason, lastError].filter(Boolean).join('; ') || undefined,
      actor: actor ?? undefined,
    })),
    ...story.failures.flatMap(({ failure, events }) =>
      events.map(({ at, type, actor, reason }): Moment => ({
        at,
        tone: type === 'opened' || type === 'reopened' ? 'bad' : type.endsWith('_requested') ? 'warn' : 'good',
        what: `Failure of "${words(failure.step)}" ${words(type)}`,
        detail: reason,
        actor,
        href: `/ops/failures/${failure.id}`,
      })),
    ),
  ];
}

/** @returns moments by their time; those of one transaction stay as they are */
export const inOrder = (moments: Moment[]): Moment[] => moments.toSorted((a, b) => a.at.getTime() - b.at.getTime());
