import type { Hono } from 'hono';
import { z } from 'zod';
import { readActorNames } from '../../queries/actor-names.ts';
import { listBulkActions } from '../../queries/bulk-actions.ts';
import { describeProgress } from '../../queries/bulk-action-summary.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { Actor, IdLink, number, Time } from '../kit/format.tsx';
import { listPage, UUID_CURSOR } from '../kit/list.tsx';
import { Status } from '../kit/status.tsx';
import { BULK_ACTIONS } from './words.ts';

/** The bulk actions, newest first. */
export function bulkActionList(app: Hono<PageEnv>, deps: PageDependencies): void {
  listPage(app, deps, {
    section: '/ops/bulk-actions',
    title: 'Bulk actions',
    noun: 'bulk actions',
    size: 20,
    search: z.object({}),
    cursor: UUID_CURSOR,
    find: async (_search, page) => {
      const rows = await listBulkActions(deps.db, page);
      const names = await readActorNames(deps.db, rows.map(({ bulkAction }) => bulkAction.actor));
      return {
        rows: rows.map((row) => ({ ...row, names })),
        hint: (
          <>
            Start one from the <a href="/ops/failures">failures</a> or the{' '}
            <a href="/ops/orders?status=failed">failed orders</a>.
          </>
        ),
        empty: 'No bulk actions yet.',
      };
    },
    idOf: ({ bulkAction }) => bulkAction.id,
    columns: [
      { title: 'Bulk action', cell: ({ bulkAction: { id } }) => <IdLink to="bulk action" id={id} /> },
      {
        title: 'Action',
        cell: ({ bulkAction: { action, reason } }) => (
          <>
            {BULK_ACTIONS[action].title}
            <br />
            <span class="clip">{reason}</span>
          </>
        ),
      },
      { title: 'Items', number: true, cell: ({ progress }) => number(progress.total) },
      { title: 'Results', cell: ({ progress }) => describeProgress(progress) },
      { title: 'By', cell: ({ bulkAction, names }) => <Actor actor={bulkAction.actor} names={names} /> },
      { title: 'Started', cell: ({ bulkAction }) => <Time at={bulkAction.createdAt} /> },
      { title: 'State', cell: ({ bulkAction }) => <Status of={bulkAction.state} /> },
    ],
  });
}
