import type { Hono } from 'hono';
import { z } from 'zod';
import { BULK_ACTION_OUTCOMES } from '../../contracts/bulk-actions.ts';
import { wholeNumber } from '../../contracts/fields.ts';
import { notFound } from '../../contracts/request-error.ts';
import { cancelBulkAction, pauseBulkAction, resumeBulkAction } from '../../operate/bulk-actions.ts';
import { readActorNames, type ActorNames } from '../../queries/actor-names.ts';
import {
  isSettled,
  listBulkActionItems,
  readBulkAction,
  type BulkAction,
  type BulkActionItem,
  type BulkActionProgress,
  type BulkActionWithProgress,
} from '../../queries/bulk-actions.ts';
import { describeProgress, isTryingFirst, nextStepAfter, TRYING_FIRST } from '../../queries/bulk-action-summary.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { postAction, type ActionRoute } from '../kit/actions.ts';
import { Actor, IdLink, number, shortId, Subject, Time } from '../kit/format.tsx';
import { ActionBar, ActionForm, Choice, optionsOf } from '../kit/forms.tsx';
import { Facts, Figures } from '../kit/layout.tsx';
import { livePage } from '../kit/live.tsx';
import { pathId } from '../kit/respond.tsx';
import { queryOf } from '../kit/search.ts';
import { Status } from '../kit/status.tsx';
import { NextPage, Table, type Columns } from '../kit/table.tsx';
import { BULK_ACTIONS } from './words.ts';

const PAGE = 100;

const querySchema = z.object({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().catch(undefined),
  outcome: z.enum(BULK_ACTION_OUTCOMES).optional().catch(undefined),
});

interface Seen extends BulkActionWithProgress {
  items: BulkActionItem[];
  query: z.output<typeof querySchema>;
  names: ActorNames;
}

/** One bulk action: progress, a result for each item, and pause, resume, cancel. */
export function bulkActionPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;

  livePage<Seen>(app, deps, '/bulk-actions/:id', {
    section: '/ops/bulk-actions',
    every: 500,
    read: async (c) => {
      const id = pathId(c, 'bulk action');
      const query = querySchema.parse(c.req.query());
      const [found, items] = await Promise.all([
        readBulkAction(db, id),
        listBulkActionItems(db, id, { limit: PAGE, ...query }),
      ]);
      if (!found) throw notFound('bulk action');
      return { ...found, items, query, names: await readActorNames(db, [found.bulkAction.actor]) };
    },
    title: ({ bulkAction }) => BULK_ACTIONS[bulkAction.action].title,
    hint: ({ bulkAction: { id, createdAt, actor, reason }, names }) => (
      <>
        Bulk action {shortId(id)}, started <Time at={createdAt} exact /> by <Actor actor={actor} names={names} />: {reason}
      </>
    ),
    parts: (seen, session) => [
      { id: 'progress', content: <Progress {...seen} /> },
      { id: 'actions', content: <Actions bulkAction={seen.bulkAction} session={session} /> },
      { id: 'items', title: 'Results', fixed: <OutcomeFilter {...seen.query} />, content: <Items {...seen} /> },
    ],
    announce,
    // Results of requested items arrive later.
    isOver: isSettled,
  });

  const route: ActionRoute = { target: (c) => pathId(c, 'bulk action'), back: (id) => `/ops/bulk-actions/${id}` };
  postAction(app, deps, '/bulk-actions/:id/pause', pauseBulkAction, route);
  postAction(app, deps, '/bulk-actions/:id/resume', resumeBulkAction, route);
  postAction(app, deps, '/bulk-actions/:id/cancel', cancelBulkAction, route);
}

const acted = ({ total, pending }: BulkActionProgress) => total - pending;

/** In steps of a tenth: a screen reader should not announce each item. */
const announce = ({ bulkAction: { state }, progress }: BulkActionWithProgress): string => {
  const tenths = progress.total === 0 ? 10 : Math.floor((acted(progress) / progress.total) * 10);
  return `The bulk action is ${state}, ${tenths * 10} % done.`;
};

const Progress = (seen: BulkActionWithProgress) => {
  const { bulkAction, progress } = seen;
  const { total, succeeded, failedAgain, cancelled, skipped, waiting } = progress;
  return (
    <>
      <Outcome {...seen} />
      <div class="progress">
        <progress max={Math.max(1, total)} value={acted(progress)} aria-label="Items acted on"></progress>
        <span>
          {number(acted(progress))} of {number(total)} <Status of={bulkAction.state} />
        </span>
      </div>
      <Figures
        of={[
          { value: succeeded, label: 'succeeded' },
          { value: failedAgain, label: 'failed again', bad: failedAgain > 0 },
          { value: cancelled, label: 'cancelled' },
          { value: skipped, label: 'skipped' },
          { value: waiting, label: 'waiting' },
        ]}
      />
      <Facts
        of={[
          ['Maximum rate', `${bulkAction.ratePerSecond} per second`],
          ['Started', <Time at={bulkAction.createdAt} exact />],
          ['Finished', bulkAction.finishedAt ? <Time at={bulkAction.finishedAt} exact /> : 'not yet'],
        ]}
      />
    </>
  );
};

/** Why it has paused itself, or waits; or, once it has ended, what happened and what to do next. */
const Outcome = (seen: BulkActionWithProgress) => {
  const { bulkAction, progress } = seen;
  if (bulkAction.pauseReason !== null) {
    return (
      <p class="alarm">
        <strong>Paused by itself.</strong> {bulkAction.pauseReason} Resume it once the cause is fixed, or cancel the rest.
      </p>
    );
  }
  if (isTryingFirst(seen)) return <p class="hint">{TRYING_FIRST}</p>;
  if (bulkAction.finishedAt === null) return null;
  const next = nextStepAfter(seen);
  return (
    <div class="actions">
      <p>
        <strong>{progress.waiting > 0 ? 'So far' : 'Result'}:</strong> {describeProgress(progress)}.
      </p>
      {next ? (
        <a class="button" href={next.page}>
          {next.label}
        </a>
      ) : null}
    </div>
  );
};

const Actions = ({ bulkAction: { id, state }, session }: { bulkAction: BulkAction; session: Session }) => {
  if (state !== 'running' && state !== 'paused') return null;
  const to = (name: string) => `/ops/bulk-actions/${id}/${name}`;
  return (
    <ActionBar>
      {state === 'running' ? (
        <ActionForm session={session} action={pauseBulkAction} to={to('pause')} />
      ) : (
        <ActionForm session={session} action={resumeBulkAction} to={to('resume')} />
      )}
      <ActionForm session={session} action={cancelBulkAction} to={to('cancel')} danger />
    </ActionBar>
  );
};

const OutcomeFilter = ({ outcome }: Seen['query']) => (
  <form method="get" class="filters">
    <Choice label="Result" name="outcome" any="any" value={outcome} options={optionsOf(BULK_ACTION_OUTCOMES)} />
    <button type="submit">Filter</button>
  </form>
);

const COLUMNS: Columns<BulkActionItem> = [
  { title: 'About', cell: (item) => <Subject of={item} /> },
  { title: 'Failure', cell: ({ failureId }) => (failureId ? <IdLink to="failure" id={failureId} /> : 'none') },
  {
    title: 'Result',
    cell: ({ outcome, message }) => (
      <>
        <Status of={outcome} /> {message}
      </>
    ),
  },
  { title: 'Acted on', cell: ({ actedAt }) => (actedAt ? <Time at={actedAt} exact /> : 'not yet') },
];

const Items = ({ bulkAction, items, query: { outcome } }: Seen) => {
  const shown = items.slice(0, PAGE);
  const last = items.length > PAGE ? shown.at(-1) : undefined;
  return (
    <>
      <Table label="Items" columns={COLUMNS} rows={shown} empty="No items match." />
      {last ? (
        <NextPage href={`/ops/bulk-actions/${bulkAction.id}${queryOf({ outcome, after: String(last.position) })}`}>
          Next items
        </NextPage>
      ) : null}
    </>
  );
};
