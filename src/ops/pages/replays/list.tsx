import type { Hono } from 'hono';
import type { ReplayAction } from '../../../contracts/failures.ts';
import { listReplays } from '../../replays.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { Actor, number, shortId, Time } from '../format.tsx';
import { Empty, PageHead, Table } from '../layout.tsx';
import { pageCursor, respond } from '../respond.tsx';
import { Status } from '../status.tsx';

const PAGE = 20;

/** What each bulk action is called. */
export const ACTION_WORDS: Record<ReplayAction, string> = {
  retry: 'Retry parked orders',
  cancel: 'Cancel parked orders',
  replay: 'Replay failed orders',
};

/** All bulk actions, the newest first. */
export function replayList(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/replays', async (c) => {
    const rows = await listReplays(deps.db, { limit: PAGE, cursor: pageCursor(c) });
    const shown = rows.slice(0, PAGE);
    const next = rows.length > PAGE ? shown.at(-1)?.replay.id : undefined;
    return respond(c, deps, {
      title: 'Replays',
      section: '/ops/replays',
      children: (
        <>
          <PageHead title="Bulk replays">
            <p class="hint">
              Begin one from the <a href="/ops/failures">failures</a>, or from the{' '}
              <a href="/ops/orders?status=failed">failed orders</a>.
            </p>
          </PageHead>
          {shown.length === 0 ? (
            <Empty>There has been none yet.</Empty>
          ) : (
            <Table label="Bulk replays" columns={['Replay', 'What', 'Done', 'Failed again', 'Refused', 'By', 'Begun', 'State']}>
              {shown.map(({ replay: { id, action, reason, actor, createdAt, state }, progress }) => (
                  <tr>
                    <th scope="row">
                      <a href={`/ops/replays/${id}`}>{shortId(id)}</a>
                    </th>
                    <td data-label="What">
                      {ACTION_WORDS[action]}
                      <br />
                      <span class="clip">{reason}</span>
                    </td>
                    <td data-label="Done" class="number">
                      {number(progress.requested)} of {number(progress.total)}
                    </td>
                    <td data-label="Failed again" class="number">
                      {number(progress.failedAgain)}
                    </td>
                    <td data-label="Refused" class="number">
                      {number(progress.refused)}
                    </td>
                    <td data-label="By">
                      <Actor actor={actor} />
                    </td>
                    <td data-label="Begun">
                      <Time at={createdAt} />
                    </td>
                    <td data-label="State">
                      <Status of={state} />
                    </td>
                  </tr>
              ))}
            </Table>
          )}
          {next ? (
            <p>
              <a href={`/ops/replays?cursor=${next}`} rel="next">
                Older replays
              </a>
            </p>
          ) : null}
        </>
      ),
    });
  });
}
