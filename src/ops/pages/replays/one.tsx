import type { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../../../intake/errors.ts';
import { changeReplay, type ReplayProgress } from '../../../intake/replays.ts';
import { listReplayItems, readReplay, type Replay, type ReplayItem, type ReplayState } from '../../replays.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { queryOf } from '../filters.ts';
import { Actor, number, shortId, Time, words } from '../format.tsx';
import { ActionForm, Choice } from '../forms.tsx';
import { Empty, Facts, PageHead, Panel, Region, Table, type Regions } from '../layout.tsx';
import { streamUpdates } from '../live.ts';
import { pathId, perform, reasonForm, respond } from '../respond.tsx';
import { Status } from '../status.tsx';
import { ACTION_WORDS } from './list.tsx';

const PAGE = 100;
const OUTCOMES = ['pending', 'under_way', 'resolved', 'cancelled', 'settled', 'failed_again', 'refused'] as const;

const pageSchema = z.object({
  after: z.coerce.number().int().min(-1).catch(-1),
  outcome: z.enum(OUTCOMES).optional().catch(undefined),
});
type PageQuery = z.infer<typeof pageSchema>;

/** One bulk action: live progress, a result for each item, and pause, resume, cancel. */
export function replayPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db, stopping } = deps;

  app.get('/replays/:id', async (c) => {
    const id = pathId(c, 'bulk replay');
    const query = pageSchema.parse(c.req.query());
    const seen = await read(id, query);
    const { replay } = seen;
    const regions = regionsOf(seen, query, c.var.session);
    return respond(c, deps, {
      title: ACTION_WORDS[replay.action],
      section: '/ops/replays',
      live: `/ops/replays/${id}/live${pageQuery(query)}`,
      children: (
        <>
          <PageHead title={ACTION_WORDS[replay.action]}>
            <p class="hint">
              Bulk replay {shortId(id)}, begun <Time at={replay.createdAt} /> by <Actor actor={replay.actor} />:{' '}
              {replay.reason}
            </p>
          </PageHead>
          <Region id="progress" of={regions} />
          <Region id="actions" of={regions} />
          <Panel title="Result of each" id="items">
            <form method="get" class="filters">
              <Choice
                label="Outcome"
                name="outcome"
                any="any"
                value={query.outcome}
                options={OUTCOMES.map((value) => ({ value, label: words(value) }))}
              />
              <button type="submit">Show</button>
            </form>
            <Region id="items-now" of={regions} />
          </Panel>
        </>
      ),
    });
  });

  app.get('/replays/:id/live', (c) => {
    const id = pathId(c, 'bulk replay');
    const query = pageSchema.parse(c.req.query());
    const { session } = c.var;
    return streamUpdates(c, {
      every: 500,
      stopping,
      read: async () => {
        const seen = await read(id, query);
        return { regions: regionsOf(seen, query, session), announcement: announce(seen), done: isOver(seen) };
      },
    });
  });

  for (const [path, state, say] of [
    ['pause', 'paused', 'It is paused: what was asked for already goes on.'],
    ['resume', 'running', 'It goes on.'],
    ['cancel', 'cancelled', 'It is cancelled: what was asked for already goes on.'],
  ] as const) {
    app.post(`/replays/:id/${path}`, (c) => {
      const id = pathId(c, 'bulk replay');
      return perform(c, reasonForm, `/ops/replays/${id}`, async ({ reason }, instruct) => {
        await changeReplay(db, id, state, instruct(reason));
        return say;
      });
    });
  }

  async function read(id: string, { after, outcome }: PageQuery): Promise<Seen> {
    const [found, items] = await Promise.all([
      readReplay(db, id),
      listReplayItems(db, id, { limit: PAGE, after, outcome }),
    ]);
    if (!found) throw notFound('bulk replay');
    return { ...found, items };
  }
}

type Seen = ReplayState & { items: ReplayItem[] };

const regionsOf = ({ replay, progress, items }: Seen, query: PageQuery, session: Session): Regions => ({
  progress: <Progress replay={replay} progress={progress} />,
  actions: <Actions replay={replay} session={session} />,
  'items-now': <Items id={replay.id} items={items} query={query} />,
});

const pageQuery = ({ after, outcome }: PageQuery): string =>
  queryOf({ after: after < 0 ? undefined : String(after), outcome });

const acted = ({ total, pending }: ReplayProgress) => total - pending;

/** What was asked for may take a while to show what becomes of it; a cancelled action leaves items as they are. */
const isOver = ({ replay: { state }, progress: { requested, succeeded, failedAgain } }: Seen): boolean =>
  (state === 'completed' || state === 'cancelled') && requested === succeeded + failedAgain;

/** In steps of a tenth: who listens does not want to hear each item. */
const announce = ({ replay: { state }, progress }: Seen): string => {
  const tenths = progress.total === 0 ? 10 : Math.floor((acted(progress) / progress.total) * 10);
  return `The bulk replay is ${state}, ${tenths * 10} % done.`;
};

const Progress = ({ replay, progress }: { replay: Replay; progress: ReplayProgress }) => {
  const { total, pending, requested, refused, succeeded, failedAgain } = progress;
  return (
    <>
      <div class="progress">
        <progress max={Math.max(1, total)} value={acted(progress)} aria-label="Items acted on"></progress>
        <span>
          {number(acted(progress))} of {number(total)}
        </span>
        <Status of={replay.state} />
      </div>
      <ul class="figures">
        <li>
          <strong>{number(succeeded)}</strong> mended
        </li>
        <li>
          <strong>{number(requested - succeeded - failedAgain)}</strong> under way
        </li>
        <li class={failedAgain > 0 ? 'bad' : undefined}>
          <strong>{number(failedAgain)}</strong> failed again
        </li>
        <li>
          <strong>{number(refused)}</strong> refused
        </li>
        <li>
          <strong>{number(pending)}</strong> to come
        </li>
      </ul>
      <Facts
        of={[
          ['Rate', `at most ${replay.ratePerSecond} a second`],
          ['Begun', <Time at={replay.createdAt} exact />],
          ['Ended', replay.finishedAt ? <Time at={replay.finishedAt} exact /> : 'not yet'],
        ]}
      />
    </>
  );
};

const Actions = ({ replay: { id, state }, session }: { replay: Replay; session: Session }) =>
  state === 'running' || state === 'paused' ? (
    <div class="actions" role="group" aria-label="Actions">
      {state === 'running' ? (
        <ActionForm session={session} action={`/ops/replays/${id}/pause`} verb="Pause" />
      ) : (
        <ActionForm session={session} action={`/ops/replays/${id}/resume`} verb="Resume" />
      )}
      <ActionForm
        session={session}
        action={`/ops/replays/${id}/cancel`}
        verb="Cancel the rest"
        danger
        about="What was asked for already goes on; the rest is left as it is."
      />
    </div>
  ) : null;

const Items = ({ id, items, query }: { id: string; items: ReplayItem[]; query: PageQuery }) => {
  const shown = items.slice(0, PAGE);
  const last = shown.at(-1);
  if (!last) return <Empty>Nothing matches.</Empty>;
  return (
    <>
      <Table label="Items" columns={['Order', 'Failure', 'Result', 'Acted on']}>
        {shown.map(({ orderId, failureId, outcome, message, actedAt }) => (
          <tr>
            <th scope="row">
              <a href={`/ops/orders/${orderId}`}>order {shortId(orderId)}</a>
            </th>
            <td data-label="Failure">
              {failureId ? <a href={`/ops/failures/${failureId}`}>failure {shortId(failureId)}</a> : 'none'}
            </td>
            <td data-label="Result">
              <Status of={outcome} /> {message}
            </td>
            <td data-label="Acted on">{actedAt ? <Time at={actedAt} exact /> : 'not yet'}</td>
          </tr>
        ))}
      </Table>
      {items.length > PAGE ? (
        <p>
          <a href={`/ops/replays/${id}${queryOf({ outcome: query.outcome, after: String(last.position) })}`} rel="next">
            Next items
          </a>
        </p>
      ) : null}
    </>
  );
};
