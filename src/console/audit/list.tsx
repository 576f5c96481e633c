import type { Hono } from 'hono';
import { AUDITED_ACTIONS } from '../../contracts/audit.ts';
import { wholeNumber } from '../../contracts/fields.ts';
import { auditSearchSchema, countActions, searchActions, type NamedAction } from '../../queries/operator-actions.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { IdLink, Time, words, Zone } from '../kit/format.tsx';
import { Choice, Field, optionsOf } from '../kit/forms.tsx';
import { listPage } from '../kit/list.tsx';
import { queryOf } from '../kit/search.ts';

/** Who did what, and why. */
export function auditList(app: Hono<PageEnv>, deps: PageDependencies): void {
  listPage(app, deps, {
    section: '/ops/audit',
    title: 'Audit',
    noun: 'actions',
    size: 100,
    search: auditSearchSchema,
    cursor: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().catch(undefined),
    find: async ({ typed, meant }, page) => ({
      rows: await searchActions(deps.db, meant, page),
      hint: <Zone />,
      empty: Object.keys(typed).length > 0 ? 'No actions match.' : 'No actions yet.',
    }),
    idOf: ({ id }) => String(id),
    csv: {
      columns: [
        ['Time', ({ at }) => at],
        ['Person', ({ actor, actorName }) => actorName ?? actor],
        ['Actor', ({ actor }) => actor],
        ['Action', ({ action }) => action],
        ['Target', ({ target }) => target],
        ['Reason', ({ reason }) => reason],
      ],
      count: (meant, most) => countActions(deps.db, meant, most),
      rows: (meant, page) => searchActions(deps.db, meant, page),
    },
    columns: [
      { title: 'Time', cell: ({ at }) => <Time at={at} exact /> },
      { title: 'Person', cell: ({ actor, actorName }) => <span title={actor}>{actorName ?? actor}</span> },
      { title: 'Action', cell: ({ action }) => words(action) },
      { title: 'Target', cell: Target },
      { title: 'Reason', cell: ({ reason }) => reason },
    ],
    fields: (typed) => (
      <>
        <Field label="Person" name="person" value={typed['person']} />
        <Choice label="Action" name="action" any="any" value={typed['action']} options={optionsOf(AUDITED_ACTIONS)} />
        <Field label="Target" name="target" value={typed['target']} wide />
        <Field label="From (UTC)" name="from" type="datetime-local" value={typed['from']?.slice(0, 16)} />
        <Field label="Before (UTC)" name="to" type="datetime-local" value={typed['to']?.slice(0, 16)} />
        <Choice label="Sign-ins" name="signIns" any="hidden" value={typed['signIns']} options={optionsOf(['shown'])} />
      </>
    ),
  });
}

/** What was acted on, by what the name of the action ends with: see `contracts/audit.ts`. */
function Target({ action, target, targetName }: NamedAction) {
  if (targetName !== null) {
    return (
      <a href={`/ops/audit${queryOf({ target, signIns: 'shown' })}`} title={target}>
        key “{targetName}”
      </a>
    );
  }
  if (action.startsWith('bulk_') || action.endsWith('_bulk_action')) return <IdLink to="bulk action" id={target} />;
  if (action.endsWith('_failure')) return <IdLink to="failure" id={target} />;
  if (action.endsWith('_order')) return <IdLink to="order" id={target} />;
  if (action.endsWith('_schedule')) return <a href={`/ops/schedules#${target}-title`}>{words(target)}</a>;
  // An erased person cannot be looked up any more.
  return <code>{target}</code>;
}
