import type { Hono } from 'hono';
import { SIGNUP_STATUSES } from '../../contracts/statuses.ts';
import { countSignups, searchSignups, signupSearchSchema } from '../../queries/signups.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { CopyId, IdLink, Time } from '../kit/format.tsx';
import { Choice, Field, optionsOf } from '../kit/forms.tsx';
import { listPage, UUID_CURSOR } from '../kit/list.tsx';
import { Status } from '../kit/status.tsx';

/** The signups. */
export function signupList(app: Hono<PageEnv>, deps: PageDependencies): void {
  listPage(app, deps, {
    section: '/ops/signups',
    title: 'Signups',
    noun: 'signups',
    size: 50,
    search: signupSearchSchema,
    cursor: UUID_CURSOR,
    find: async ({ meant }, page) => ({ rows: await searchSignups(deps.db, meant, page), empty: 'No signups match.' }),
    idOf: ({ id }) => id,
    columns: [
      {
        title: 'Signup',
        cell: ({ id }) => (
          <>
            <IdLink to="signup" id={id} /> <CopyId id={id} />
          </>
        ),
      },
      { title: 'Name', cell: ({ name }) => name },
      { title: 'Email', cell: ({ email }) => email },
      { title: 'Signed up', cell: ({ createdAt }) => <Time at={createdAt} /> },
      { title: 'Last change', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
      { title: 'Status', cell: ({ status }) => <Status of={status} /> },
    ],
    csv: {
      columns: [
        ['Signup', ({ id }) => id],
        ['Name', ({ name }) => name],
        ['Email', ({ email }) => email],
        ['Signed up', ({ createdAt }) => createdAt],
        ['Last change', ({ updatedAt }) => updatedAt],
        ['Status', ({ status }) => status],
      ],
      count: (meant, most) => countSignups(deps.db, meant, most),
      rows: (meant, page) => searchSignups(deps.db, meant, page),
    },
    fields: (typed) => (
      <>
        <Field label="Signup id" name="id" value={typed['id']} wide />
        <Field label="Email (exact)" name="email" type="email" value={typed['email']} wide />
        <Choice label="Status" name="status" any="any" value={typed['status']} options={optionsOf(SIGNUP_STATUSES)} />
      </>
    ),
  });
}
