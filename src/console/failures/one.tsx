import type { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import type { Address } from '../../contracts/fields.ts';
import type { FailureKind } from '../../contracts/statuses.ts';
import { fixFailure } from '../../operate/discrepancies.ts';
import { cancelFailure, requeueFailure, resetFailure, retryFailure, settleFailure } from '../../operate/failures.ts';
import { readActorNames, type ActorNames } from '../../queries/actor-names.ts';
import type { Failure } from '../../queries/failures.ts';
import { readServices, type ServiceHealth } from '../../queries/health.ts';
import { isFixable } from '../../queries/books.ts';
import { readShippingAddress } from '../../queries/orders.ts';
import { loadFailureStory, type FailureWithRun } from '../../queries/story-with-run.ts';
import { mayUse } from '../access.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { postAction, type ActionRoute, type Fields } from '../kit/actions.ts';
import { failureMoments, failureName, FailureSubject } from '../kit/failure.tsx';
import { ErrorText, IdLink, NextAttempt, number, pagePath, shortId, Time, words } from '../kit/format.tsx';
import { ActionBar, ActionForm, Field } from '../kit/forms.tsx';
import { Facts } from '../kit/layout.tsx';
import { livePage } from '../kit/live.tsx';
import { pathId } from '../kit/respond.tsx';
import { ServiceNote } from '../kit/service-note.tsx';
import { Status } from '../kit/status.tsx';
import { pending } from '../kit/story.tsx';
import { Timeline } from '../kit/timeline.tsx';

interface Seen extends FailureWithRun {
  address: Address | undefined;
  /** A difference in the books, with a fix that is certain. */
  isFixable: boolean;
  services: ServiceHealth[];
  names: ActorNames;
}

/** One failure: what happened, what was done about it, and what can be done. */
export function failurePage(app: Hono<PageEnv>, deps: PageDependencies): void {
  livePage<Seen>(app, deps, '/failures/:id', {
    section: '/ops/failures',
    every: 1_000,
    read: async (c) => {
      const loaded = await loadFailureStory(deps, pathId(c, 'failure'));
      const { orderId } = loaded.failure;
      return {
        ...loaded,
        address: orderId ? await readShippingAddress(deps.db, orderId) : undefined,
        isFixable: await isFixable(deps.db, loaded.failure.id),
        services: await readServices(deps.db),
        names: await readActorNames(deps.db, loaded.events.map(({ actor }) => actor)),
      };
    },
    title: ({ failure }) => failureName(failure),
    hint: ({ failure }) => (
      <>
        <FailureSubject failure={failure} /> · <a href={deps.runUrl(failure.workflowId)}>Open in the Temporal Web UI</a>
      </>
    ),
    parts: (seen, session) => [
      { id: 'facts', content: <FailureFacts failure={seen.failure} session={session} /> },
      { id: 'service', content: <OfService {...seen} /> },
      { id: 'actions', content: <Actions {...seen} session={session} /> },
      { id: 'history', title: 'History', content: <Timeline moments={failureMoments(seen)} names={seen.names} /> },
      pending(seen, awaitsDecision(seen.failure)),
    ],
    announce: ({ failure }) => `Failure: ${words(failure.status)}.`,
  });

  const route: ActionRoute = { target: (c) => pathId(c, 'failure'), back: (id) => `/ops/failures/${id}` };
  postAction(app, deps, '/failures/:id/retry', retryFailure, { ...route, toInput: withAddress });
  postAction(app, deps, '/failures/:id/cancel', cancelFailure, route);
  postAction(app, deps, '/failures/:id/settle', settleFailure, route);
  postAction(app, deps, '/failures/:id/fix', fixFailure, route);
  postAction(app, deps, '/failures/:id/requeue', requeueFailure, route);
  postAction(app, deps, '/failures/:id/reset', resetFailure, { ...route, toInput: withEventId });
}

/** A retry has two forms. The one for a corrected address has more fields. */
const withAddress = ({ reason, ...shippingAddress }: Fields) =>
  Object.keys(shippingAddress).length > 0 ? { reason, shippingAddress } : { reason };

const withEventId = ({ eventId, ...fields }: Fields) => (eventId ? { ...fields, eventId: Number(eventId) } : fields);

const awaitsDecision = ({ kind, status }: Failure): boolean => kind === 'step' && status === 'open';

const FailureFacts = ({ failure, session }: { failure: Failure; session: Session }) => (
  <>
    <p class="error-message">
      <ErrorText type={failure.errorType} message={failure.errorMessage} />
    </p>
    <Facts
      of={[
        ['Status', <Status of={failure.status} />],
        ['Attempts', number(failure.attempts)],
        ['Opened', failure.occurrence === 1 ? 'once' : `${failure.occurrence} times`],
        ['First seen', <Time at={failure.firstSeenAt} exact />],
        ['Last seen', <Time at={failure.lastSeenAt} exact />],
        ['Next retry', nextRetry(failure)],
        ['Generation', failure.generation],
        [
          'Last bulk action',
          lastBulkAction(failure, session),
        ],
      ]}
    />
  </>
);

function lastBulkAction({ bulkActionId: id }: Failure, { caller }: Session): Child {
  if (!id) return 'none';
  return mayUse(caller, 'GET', pagePath('bulk action', id)) ? <IdLink to="bulk action" id={id} /> : `bulk action ${shortId(id)}`;
}

/** Only a compensation is retried by itself. Any other open failure waits for a person. */
function nextRetry({ kind, status, nextRetryAt }: Failure): Child {
  if (status === 'retrying') return 'requested';
  if (status !== 'open') return null;
  if (nextRetryAt) return <NextAttempt at={nextRetryAt} />;
  return kind === 'compensation' ? 'retrying' : 'none planned';
}

const OfService = ({ failure, services }: Pick<Seen, 'failure' | 'services'>) => {
  const { status, errorType, firstSeenAt: oldest, lastSeenAt: latest } = failure;
  return status === 'open' ? <ServiceNote services={services} failed={{ errorType, oldest, latest }} /> : null;
};

type ActionsProps = Pick<Seen, 'failure' | 'address' | 'isFixable'> & { session: Session };

/** Offers only what the state of the failure allows. */
const Actions = (props: ActionsProps) => {
  const { failure, session } = props;
  if (failure.status !== 'open') return <p class="hint">No actions: the failure is {words(failure.status)}.</p>;
  if (session.caller.role !== 'operator') return <ForOperators failure={failure} />;
  return <ActionBar>{OFFERS[failure.kind](props)}</ActionBar>;
};

/** Support cannot retry, but a customer who does not want to wait can be helped: a parked order can be cancelled. */
const ForOperators = ({ failure: { kind, orderId } }: Pick<Seen, 'failure'>) => (
  <p class="hint">
    Operators decide about failures.
    {kind === 'step' && orderId ? (
      <>
        {' '}
        You can cancel <IdLink to="order" id={orderId} />.
      </>
    ) : null}
  </p>
);

const retry = ({ failure: { id }, address, session }: ActionsProps) => (
  <>
    <ActionForm session={session} action={retryFailure} to={`/ops/failures/${id}/retry`} />
    {address ? (
      <ActionForm
        session={session}
        action={retryFailure}
        to={`/ops/failures/${id}/retry`}
        label="Retry with a corrected address"
      >
        <Field label="Street and number" name="line1" value={address.line1} required />
        <Field label="City" name="city" value={address.city} required />
        <Field label="Postal code" name="postalCode" value={address.postalCode} required />
        <Field label="Country (two capital letters)" name="country" value={address.country} required />
      </ActionForm>
    ) : null}
    <ActionForm session={session} action={cancelFailure} to={`/ops/failures/${id}/cancel`} danger />
  </>
);

const retryAs = (label: string) => (props: ActionsProps) => (
  <>
    <ActionForm session={props.session} action={retryFailure} to={`/ops/failures/${props.failure.id}/retry`} label={label} />
    {settle(props)}
  </>
);

const reset = ({ failure: { id }, session }: ActionsProps) => (
  <ActionForm session={session} action={resetFailure} to={`/ops/failures/${id}/reset`}>
    <Field label="Undo from event (empty: from where it is failing, or from its end)" name="eventId" type="number" min={1} />
  </ActionForm>
);

const settle = ({ failure: { id, kind }, session }: ActionsProps) => (
  <ActionForm
    session={session}
    action={settleFailure}
    to={`/ops/failures/${id}/settle`}
    reason="What was done outside"
    danger={kind === 'compensation' || kind === 'refund'}
  />
);

const fixOrSettle = (props: ActionsProps) => (
  <>
    {props.isFixable ? (
      <ActionForm session={props.session} action={fixFailure} to={`/ops/failures/${props.failure.id}/fix`} />
    ) : null}
    {settle(props)}
  </>
);

const requeue = (props: ActionsProps) => (
  <>
    <ActionForm session={props.session} action={requeueFailure} to={`/ops/failures/${props.failure.id}/requeue`} />
    {settle(props)}
  </>
);

const OFFERS: Record<FailureKind, (props: ActionsProps) => Child> = {
  step: retry,
  run: (props) => (
    <>
      {reset(props)}
      {props.failure.orderId ?? props.failure.signupId ? null : settle(props)}
    </>
  ),
  compensation: settle,
  email: retryAs('Send the email again'),
  command: requeue,
  late_shipment: settle,
  unexpected_shipment: settle,
  discrepancy: fixOrSettle,
  refund: retryAs('Refund again'),
  dispute: settle,
};
