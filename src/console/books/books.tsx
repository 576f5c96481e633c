import type { Hono } from 'hono';
import { BOOK_SIDES } from '../../contracts/books.ts';
import { took } from '../../contracts/duration-format.ts';
import { readBooks, type BookCheckState, type BookRun, type Books, type KnownDifference } from '../../queries/books.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { capital, IdLink, number, plural, Time, words } from '../kit/format.tsx';
import { livePage } from '../kit/live.tsx';
import { Status } from '../kit/status.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** Differences shown at most. */
const SHOWN = 200;

/** What reconciliation compares, when it last did, and what differs. */
export function booksPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  livePage<Books>(app, deps, '/books', {
    section: '/ops/books',
    every: 3_000,
    read: () => readBooks(deps.db, SHOWN),
    title: () => 'Books',
    hint: () => (
      <>
        Compared every minute (what changed) and every night (everything). To start it now, see{' '}
        <a href="/ops/schedules">Schedules</a>.
      </>
    ),
    parts: ({ checks, differences }) => [
      { id: 'checks', title: 'Checks', content: <Table label="Checks" columns={CHECKS} rows={checks} /> },
      {
        id: 'differences',
        title: 'Differences',
        content: <Table label="Differences" columns={DIFFERENCES} rows={differences} empty="Everything agrees." />,
      },
    ],
    announce: ({ checks }) => `${plural(checks.reduce((sum, check) => sum + check.differences, 0), 'difference')}.`,
  });
}

const runOf = ({ runs }: BookCheckState, scope: BookRun['scope']) => runs.find((run) => run.scope === scope);

function statusOf({ runs, differences }: BookCheckState) {
  const [last] = runs.toSorted((a, b) => b.finishedAt.getTime() - a.finishedAt.getTime());
  if (!last || last.error !== null) return 'not_checked';
  return differences > 0 ? 'differs' : 'equal';
}

const LastRun = ({ run }: { run: BookRun | undefined }) => {
  if (!run) return <>not yet</>;
  const time = took(run.finishedAt.getTime() - run.startedAt.getTime());
  return (
    <>
      <Time at={run.finishedAt} /> <span class="hint">{run.error ?? `${number(run.compared)} compared in ${time}`}</span>
    </>
  );
};

const CHECKS: Columns<BookCheckState> = [
  { title: 'Check', cell: ({ check }) => capital(words(check)) },
  { title: 'Compares', cell: ({ check }) => `${BOOK_SIDES[check].ours} / ${BOOK_SIDES[check].theirs}` },
  { title: 'State', cell: (check) => <Status of={statusOf(check)} /> },
  { title: 'Differences', number: true, cell: ({ differences }) => number(differences) },
  { title: 'Changes', cell: (check) => <LastRun run={runOf(check, 'changed')} /> },
  { title: 'Everything', cell: (check) => <LastRun run={runOf(check, 'everything')} /> },
];

const Subject = ({ of: { orderId, signupId, subject } }: { of: KnownDifference }) => {
  if (orderId) return <IdLink to="order" id={orderId} />;
  if (signupId) return <IdLink to="signup" id={signupId} />;
  return <code>{subject}</code>;
};

const DIFFERENCES: Columns<KnownDifference> = [
  { title: 'Difference', cell: ({ check, what }) => `${capital(words(check))}: ${words(what)}` },
  { title: 'About', cell: (difference) => <Subject of={difference} /> },
  { title: 'One side', cell: ({ check, ours }) => `${BOOK_SIDES[check].ours}: ${ours}` },
  { title: 'The other', cell: ({ check, theirs }) => `${BOOK_SIDES[check].theirs}: ${theirs}` },
  { title: 'Since', cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
  {
    title: 'Failure',
    cell: ({ failureId }) => (failureId ? <IdLink to="failure" id={failureId} /> : 'not reported yet'),
  },
];
