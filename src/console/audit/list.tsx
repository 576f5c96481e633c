import type { Hono } from 'hono';
import { z } from 'zod';
import { wholeNumber } from '../../contracts/fields.ts';
import { listActions, type OperatorAction } from '../../queries/operator-actions.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { Actor, IdLink, Time, words } from '../kit/format.tsx';
import { listPage } from '../kit/list.tsx';

/** Who did what, and why. */
export function auditList(app: Hono<PageEnv>, deps: PageDependencies): void {
  listPage(app, deps, {
    section: '/ops/audit',
    title: 'Audit',
    noun: 'actions',
    size: 100,
    search: z.object({}),
    cursor: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().catch(undefined),
    find: async (_search, page) => ({
      rows: await listActions(deps.db, page),
      hint: 'Times are UTC.',
      empty: 'No actions yet.',
    }),
    idOf: ({ id }) => String(id),
    columns: [
      { title: 'Time', cell: ({ at }) => <Time at={at} exact /> },
      { title: 'Actor', cell: ({ actor }) => <Actor actor={actor} /> },
      { title: 'Action', cell: ({ action }) => words(action) },
      { title: 'Target', cell: Target },
      { title: 'Reason', cell: ({ reason }) => reason },
    ],
  });
}

function Target({ action, target }: OperatorAction) {
  if (action.startsWith('bulk_') || action.endsWith('_bulk_action')) return <IdLink to="bulk action" id={target} />;
  if (action.endsWith('_failure')) return <IdLink to="failure" id={target} />;
  if (action.endsWith('_order')) return <IdLink to="order" id={target} />;
  return <code>{target}</code>;
}
