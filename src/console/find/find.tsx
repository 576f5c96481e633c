import type { Hono } from 'hono';
import { find, type Found } from '../../queries/find.ts';
import { mayUse } from '../access.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { IdLink, pagePath, plural, Time, words } from '../kit/format.tsx';
import { respond } from '../kit/respond.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** Nothing that can be found is longer. */
const LONGEST = 300;

/** Where the search box of every page leads. A single result is opened at once. */
export function findPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/find', async (c) => {
    const text = (c.req.query('q') ?? '').trim();
    const all = text === '' || text.length > LONGEST ? [] : await find(deps.db, text);
    const found = all.filter(({ kind, id }) => mayUse(c.var.caller, 'GET', pagePath(kind, id)));
    const [first, ...others] = found;
    if (first && others.length === 0) return c.redirect(pagePath(first.kind, first.id), 303);
    return await respond(c, deps, {
      title: 'Search',
      section: '/ops',
      searched: text,
      hint: first ? plural(found.length, 'result') : undefined,
      children: (
        <Table
          label="Search results"
          columns={COLUMNS}
          rows={found}
          empty={
            <>
              {text === '' ? 'Nothing entered.' : 'Nothing found.'} Search by id, by the number of an order as emails show it, by
              the subject of an email or the link in it, by the customer’s full email address, or by the number of a payment, a refund, a
              parcel or an invoice.
            </>
          }
        />
      ),
    });
  });
}

const COLUMNS: Columns<Found> = [
  { title: 'Found', cell: ({ kind, id }) => <IdLink to={kind} id={id} /> },
  { title: 'About', cell: ({ about }) => about },
  { title: 'Status', cell: ({ status }) => words(status) },
  { title: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
];
