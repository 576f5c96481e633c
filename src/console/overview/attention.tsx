import type { FailureKind } from '../../contracts/statuses.ts';
import type { Attention } from '../../queries/attention.ts';
import type { ServiceHealth } from '../../queries/health.ts';
import type { Session } from '../environment.ts';
import { number, Time, words } from '../kit/format.tsx';
import { RetryAll, ServiceNote } from '../kit/service-note.tsx';
import { queryOf } from '../kit/search.ts';

/** What failures of each kind are called. The loud ones stand out: money is not refunded, or something has stopped. */
const KINDS: Record<FailureKind, { one: string; loud: boolean }> = {
  step: { one: 'parked order', loud: false },
  compensation: { one: 'failing compensation', loud: true },
  email: { one: 'unsent email', loud: false },
  command: { one: 'undelivered command', loud: true },
  run: { one: 'broken run', loud: true },
  late_shipment: { one: 'late shipment', loud: false },
  unexpected_shipment: { one: 'unexpected shipment', loud: true },
  discrepancy: { one: 'difference', loud: true },
  refund: { one: 'failed refund', loud: true },
  dispute: { one: 'disputed payment', loud: false },
};

interface Seen {
  attention: Attention;
  services: ServiceHealth[];
  session: Session;
}

/** What waits for a person. */
export const NeedsAttention = ({ attention: { groups, approvals }, services, session }: Seen) => {
  if (groups.length === 0 && approvals.count === 0) {
    return (
      <p class="all-well">
        <span aria-hidden="true">✓</span> All clear
      </p>
    );
  }
  return (
    <ul class="attention">
      {groups.map(({ kind, step, errorType, count, oldest, latest }) => (
        <li class={KINDS[kind].loud ? 'loud' : undefined}>
          <a href={`/ops/failures${queryOf({ status: 'open', kind, step, errorType })}`}>
            <strong>{number(count)}</strong>
            <span>
              {count === 1 ? KINDS[kind].one : `${KINDS[kind].one}s`}: <b>{words(step)}</b> · {words(errorType)}
            </span>
          </a>
          <Oldest at={oldest} />
          <ServiceNote services={services} failed={{ errorType, oldest, latest }}>
            <RetryAll filter={{ status: 'open', kind, step, errorType }} counts={[{ kind, count }]} caller={session.caller} />
          </ServiceNote>
        </li>
      ))}
      {approvals.count > 0 ? (
        <li>
          <a href="/ops/orders?status=awaiting_approval">
            <strong>{number(approvals.count)}</strong>
            <span>{approvals.count === 1 ? 'order' : 'orders'} waiting for approval</span>
          </a>
          <Oldest at={approvals.oldest} />
        </li>
      ) : null}
    </ul>
  );
};

const Oldest = ({ at }: { at: Date | undefined }) =>
  at ? (
    <span class="hint">
      oldest <Time at={at} />
    </span>
  ) : null;
