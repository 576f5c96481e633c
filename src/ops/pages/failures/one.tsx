import { eq } from 'drizzle-orm';
import type { Hono } from 'hono';
import { orders } from '../../../db/schema.ts';
import { notFound } from '../../../intake/errors.ts';
import { readFailure, type Failure, type FailureEvent, type FailureStory } from '../../failures.ts';
import { describeRun, type RunState } from '../../runs.ts';
import { askTemporal } from '../../temporal.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { Actor, number, Time, words } from '../format.tsx';
import { ActionForm, Field } from '../forms.tsx';
import { Empty, Facts, PageHead, Panel, Region, type Regions } from '../layout.tsx';
import { Pending } from '../pending.tsx';
import { pathId, respond } from '../respond.tsx';
import { Status } from '../status.tsx';
import { streamUpdates } from '../live.ts';
import { About } from './list.tsx';

type Order = typeof orders.$inferSelect;

/** One failure: what happened, what was done about it, what is pending, and what can be done. */
export function failurePage(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db, temporal, stopping } = deps;

  app.get('/failures/:id', async (c) => {
    const id = pathId(c, 'failure');
    const seen = await read(id);
    const { failure } = seen;
    const regions = regionsOf(seen, c.var.session);
    return respond(c, deps, {
      title: `${words(failure.kind)}: ${words(failure.step)}`,
      section: '/ops/failures',
      live: `/ops/failures/${id}/live`,
      children: (
        <>
          <PageHead title={`${capital(words(failure.kind))}: ${words(failure.step)}`}>
            <p>
              <About failure={failure} /> · <a href={deps.runUrl(failure.workflowId)}>run in the Temporal Web UI</a>
            </p>
          </PageHead>
          <Region id="facts" of={regions} />
          <Region id="actions" of={regions} />
          <Panel title="What was done" id="events">
            <Region id="history" of={regions} />
          </Panel>
          <Panel title="What is pending" id="pending">
            <Region id="pending-now" of={regions} />
          </Panel>
        </>
      ),
    });
  });

  app.get('/failures/:id/live', (c) => {
    const id = pathId(c, 'failure');
    const { session } = c.var;
    return streamUpdates(c, {
      every: 1_000,
      stopping,
      read: async () => {
        const seen = await read(id);
        return {
          regions: regionsOf(seen, session),
          announcement: `The failure is ${words(seen.failure.status)}.`,
          done: false,
        };
      },
    });
  });

  async function read(id: string): Promise<Seen> {
    const found = await readFailure(db, id);
    if (!found) throw notFound('failure');
    const { orderId, workflowId } = found.failure;
    const [rows, { temporal: state, answer }] = await Promise.all([
      orderId ? db.select().from(orders).where(eq(orders.id, orderId)) : [],
      askTemporal(temporal, () => describeRun(temporal, workflowId)),
    ]);
    return { ...found, order: rows[0], run: { temporal: state, run: answer } };
  }
}

interface Seen extends FailureStory {
  order: Order | undefined;
  run: { temporal: 'ok' | 'unavailable'; run: RunState | null | undefined };
}

const regionsOf = ({ failure, events, order, run }: Seen, session: Session): Regions => ({
  facts: <FailureFacts failure={failure} />,
  actions: <Actions failure={failure} order={order} session={session} />,
  history: <History events={events} />,
  'pending-now': <Pending {...run} />,
});

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const FailureFacts = ({ failure }: { failure: Failure }) => (
  <>
    <p class="error-message">
      <strong>{words(failure.errorType)}</strong> {failure.errorMessage}
    </p>
    <Facts
      of={[
        ['Status', <Status of={failure.status} />],
        ['Attempts', number(failure.attempts)],
        ['Opened', failure.occurrence === 1 ? 'once' : `${failure.occurrence} times`],
        ['First seen', <Time at={failure.firstSeenAt} exact />],
        ['Last seen', <Time at={failure.lastSeenAt} exact />],
        ['Next retry', failure.nextRetryAt ? <Time at={failure.nextRetryAt} /> : 'none planned'],
        ['Generation', failure.generation ?? '–'],
        [
          'Bulk replay',
          failure.replayId ? <a href={`/ops/replays/${failure.replayId}`}>the last that acted on it</a> : 'none',
        ],
      ]}
    />
  </>
);

const EVENT_WORDS: Record<FailureEvent['type'], string> = {
  opened: 'Opened',
  reopened: 'Failed again',
  retry_requested: 'Retry asked for',
  cancel_requested: 'Cancellation asked for',
  settlement_requested: 'Settled by hand',
  replay_requested: 'Replay asked for',
  reset_requested: 'Reset asked for',
  resolved: 'Resolved',
  cancelled: 'Cancelled',
  settled: 'Settled',
};

const History = ({ events }: { events: FailureEvent[] }) =>
  events.length === 0 ? (
    <Empty>Nothing yet.</Empty>
  ) : (
    <ol class="timeline">
      {events.map(({ type, actor, reason, at }) => (
        <li class={type === 'opened' || type === 'reopened' ? 'bad' : type.endsWith('_requested') ? 'busy' : 'good'}>
          <Time at={at} exact />
          <div>
            <strong>{EVENT_WORDS[type]}</strong> by <Actor actor={actor} />
            <br />
            {reason}
          </div>
        </li>
      ))}
    </ol>
  );

/** Only what the failure's state allows is offered. */
const Actions = ({ failure, order, session }: { failure: Failure; order: Order | undefined; session: Session }) => {
  const { id, kind, status } = failure;
  const to = (action: string) => `/ops/failures/${id}/${action}`;
  if (status !== 'open') return <p class="hint">It is {words(status)}: there is nothing to do.</p>;
  if (kind === 'step') {
    return (
      <div class="actions" role="group" aria-label="Actions">
        <ActionForm
          session={session}
          action={to('retry')}
          verb="Retry"
          about="Tries the failed step again with fresh retries, and goes on from there. Nothing that was done is done again."
        />
        {order ? (
          <ActionForm
            session={session}
            action={to('retry-with-address')}
            verb="Retry with a corrected address"
            about="The same, with the address below from now on."
          >
            <Field label="Street and number" name="line1" value={order.line1} required />
            <Field label="City" name="city" value={order.city} required />
            <Field label="Postal code" name="postalCode" value={order.postalCode} required />
            <Field label="Country (two letters)" name="country" value={order.country} required />
          </ActionForm>
        ) : null}
        <ActionForm
          session={session}
          action={to('cancel')}
          verb="Cancel the order"
          danger
          about="Gives up and undoes what was done: the stock is released and the money given back."
        />
      </div>
    );
  }
  if (kind === 'run') {
    return (
      <div class="actions" role="group" aria-label="Actions">
        <ActionForm
          session={session}
          action={to('reset')}
          verb="Reset the run"
          about="Goes back to before the run went wrong and on from there, with the code that is deployed now. Steps that were done stay done."
        >
          <Field label="Undo from event (empty: the first failed workflow task)" name="eventId" type="number" min={1} />
        </ActionForm>
      </div>
    );
  }
  return (
    <div class="actions" role="group" aria-label="Actions">
      <ActionForm
        session={session}
        action={to('settle')}
        verb="Settle by hand"
        danger={kind === 'compensation'}
        reason="What was done outside"
        about={
          kind === 'compensation'
            ? 'It keeps trying. Settle it only when it was done by hand, for example the money given back at the provider: the order then goes on without it.'
            : 'Takes it off the list: nothing waits for it.'
        }
      />
    </div>
  );
};
