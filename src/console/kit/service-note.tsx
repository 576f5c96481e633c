import type { Child } from 'hono/jsx';
import { BULK_FAILURE_KINDS } from '../../contracts/bulk-actions.ts';
import type { Caller } from '../../contracts/caller.ts';
import type { FailureFilter } from '../../contracts/failure-filter.ts';
import { SERVICE_NAMES, serviceOf } from '../../contracts/health.ts';
import type { FailureKind } from '../../contracts/statuses.ts';
import type { ServiceHealth } from '../../queries/health.ts';
import { mayUse } from '../access.ts';
import { plural, Time } from './format.tsx';
import { DRY_RUN } from './list.tsx';
import { queryOf } from './search.ts';
import { Status } from './status.tsx';

/** Failures of one error type: when the first of them was seen, and when one failed last. */
interface Failed {
  errorType: string;
  oldest: Date;
  latest: Date;
}

/**
 * Says whether the service that failed answers now. Nothing, if no service is to blame.
 * @param children what to do about it, offered when the service answers
 */
export const ServiceNote = ({ services, failed, children }: { services: ServiceHealth[]; failed: Failed; children?: Child }) => {
  const blamed = serviceOf(failed.errorType);
  const health = services.find(({ service }) => service === blamed);
  if (!health) return null;
  return (
    <div class="service-note">
      <Status of={health.state} />
      <span>
        <Answers health={health} failed={failed} />
      </span>
      {health.state === 'ok' ? children : null}
    </div>
  );
};

const Answers = ({ health, failed }: { health: ServiceHealth; failed: Failed }) => {
  const { service, state, answeringSince, lastSuccessAt, lastFailureAt, lastError } = health;
  const name = `The ${SERVICE_NAMES[service].toLowerCase()}`;
  if (state === 'not_checked') return <>It is not known whether {name.toLowerCase()} answers: no worker has probed it lately.</>;
  if (state === 'failing' || !answeringSince) {
    return (
      <>
        {name} is failing: {lastError}. Last success: {lastSuccessAt ? <Time at={lastSuccessAt} exact /> : 'never'}.
      </>
    );
  }
  // Without a failed probe since then, only this one operation may be failing.
  if (!lastFailureAt || answeringSince < failed.oldest) {
    return (
      <>
        {name} answers; probed {lastSuccessAt ? <Time at={lastSuccessAt} /> : null}.
      </>
    );
  }
  return (
    <>
      {name} has answered again since <Time at={answeringSince} exact />
      {failed.latest > answeringSince ? (
        <>
          , but one of these failed at <Time at={failed.latest} exact />
        </>
      ) : null}
      .
    </>
  );
};

/**
 * Leads to the dry run of a retry of all that match. Nothing for those who may not retry in bulk.
 * @param counts how many match, of each kind. Some kinds are not retried in bulk
 */
export const RetryAll = ({ filter, counts, caller }: { filter: FailureFilter; counts: { kind: FailureKind; count: number }[]; caller: Caller }) => {
  const count = counts.filter(({ kind }) => BULK_FAILURE_KINDS.retry.includes(kind)).reduce((sum, group) => sum + group.count, 0);
  if (count === 0 || !mayUse(caller, 'GET', DRY_RUN)) return null;
  return (
    <a class="button" href={`${DRY_RUN}${queryOf({ action: 'retry', scope: 'all', ...filter })}`}>
      Retry {count === 1 ? 'it' : `all ${plural(count, 'failure')}`}…
    </a>
  );
};
