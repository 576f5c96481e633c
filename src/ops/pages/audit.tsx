import type { Hono } from 'hono';
import { z } from 'zod';
import { listActions } from '../actions.ts';
import type { PageDependencies, PageEnv } from './environment.ts';
import { queryOf } from './filters.ts';
import { Actor, Time, words } from './format.tsx';
import { Empty, PageHead, Table } from './layout.tsx';
import { respond } from './respond.tsx';

const PAGE = 100;
const cursorSchema = z.coerce.number().int().positive().optional().catch(undefined);

/** Who did what, and why. What was done about one failure is on its own page. */
export function auditPages(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/audit', async (c) => {
    const rows = await listActions(deps.db, { limit: PAGE, cursor: cursorSchema.parse(c.req.query('cursor')) });
    const shown = rows.slice(0, PAGE);
    const next = rows.length > PAGE ? shown.at(-1)?.id : undefined;
    return respond(c, deps, {
      title: 'Audit',
      section: '/ops/audit',
      children: (
        <>
          <PageHead title="Audit">
            <p class="hint">Times are UTC. What was done about one failure is on the failure's own page.</p>
          </PageHead>
          {shown.length === 0 ? (
            <Empty>Nothing yet.</Empty>
          ) : (
            <Table label="Actions" columns={['When', 'Who', 'What', 'To what', 'Why']}>
              {shown.map((row) => (
                <tr>
                  <th scope="row">
                    <Time at={row.at} exact />
                  </th>
                  <td data-label="Who">
                    <Actor actor={row.actor} />
                  </td>
                  <td data-label="What">{words(row.action)}</td>
                  <td data-label="To what">
                    <Target action={row.action} target={row.target} />
                  </td>
                  <td data-label="Why">{row.reason}</td>
                </tr>
              ))}
            </Table>
          )}
          {next ? (
            <p>
              <a href={`/ops/audit${queryOf({ cursor: String(next) })}`} rel="next">
                Older actions
              </a>
            </p>
          ) : null}
        </>
      ),
    });
  });
}

const Target = ({ action, target }: { action: string; target: string }) =>
  action.startsWith('bulk_') ? <a href={`/ops/replays/${target}`}>{target}</a> : <code>{target}</code>;
