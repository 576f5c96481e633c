import type { Hono } from 'hono';
import { FAILURE_KINDS, FAILURE_STATUSES } from '../../../contracts/statuses.ts';
import { countFailures, listFailures, type Failure, type FailureCount } from '../../failures.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { ANY_STATUS, parseFilter, queryOf, type ParsedFilter } from '../filters.ts';
import { number, plural, shortId, Time, words } from '../format.tsx';
import { Choice, Field } from '../forms.tsx';
import { Empty, PageHead, Table } from '../layout.tsx';
import { pageCursor, respond } from '../respond.tsx';
import { Status } from '../status.tsx';

const PAGE = 50;

/** The failures: filters in the address, counts as quick filters, and a selection to act on. */
export function failureList(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/failures', async (c) => {
    const query = c.req.query();
    const parsed = parseFilter({ ...query, status: query['status'] ?? 'open' });
    const { filter, error } = parsed;
    const [rows, counts] = await Promise.all([
      listFailures(deps.db, filter, { limit: PAGE, cursor: pageCursor(c) }),
      countFailures(deps.db, filter),
    ]);
    const shown = rows.slice(0, PAGE);
    const matching = counts.reduce((sum, row) => sum + row.count, 0);
    const next = rows.length > PAGE ? shown.at(-1)?.id : undefined;
    return respond(c, deps, {
      title: 'Failures',
      section: '/ops/failures',
      status: error === undefined ? 200 : 422,
      ...(error === undefined ? {} : { flash: { kind: 'error', message: `The filter was not used: ${error}.` } }),
      children: (
        <>
          <PageHead title="Failures">
            <p class="hint">{plural(matching, 'failure')} match.</p>
          </PageHead>
          <Filters parsed={parsed} />
          <QuickFilters counts={counts} typed={parsed.typed} />
          {shown.length === 0 ? (
            <Empty>Nothing matches. {parsed.typed['status'] === 'open' ? 'Nothing needs a person.' : ''}</Empty>
          ) : (
            <Selection failures={shown} matching={matching} typed={parsed.typed} />
          )}
          {next ? (
            <p>
              <a href={`/ops/failures${queryOf({ ...parsed.typed, cursor: next })}`} rel="next">
                Older failures
              </a>
            </p>
          ) : null}
        </>
      ),
    });
  });
}

const Filters = ({ parsed: { typed } }: { parsed: ParsedFilter }) => (
  <form method="get" class="filters" role="search" aria-label="Filter failures">
    <Choice
      label="Status"
      name="status"
      value={typed['status']}
      options={[{ value: ANY_STATUS, label: 'any' }, ...FAILURE_STATUSES.map((value) => ({ value, label: words(value) }))]}
    />
    <Choice
      label="Kind"
      name="kind"
      any="any"
      value={typed['kind']}
      options={FAILURE_KINDS.map((value) => ({ value, label: words(value) }))}
    />
    <Field label="Step" name="step" value={typed['step']} />
    <Field label="Error type" name="errorType" value={typed['errorType']} />
    <Field label="Text in the error" name="text" value={typed['text']} />
    <details class="more" open={['orderId', 'customerEmail', 'from', 'to'].some((field) => field in typed)}>
      <summary>More filters</summary>
      <div>
        <Field label="Order" name="orderId" value={typed['orderId']} wide />
        <Field label="Customer's email" name="customerEmail" type="email" value={typed['customerEmail']} />
        <Field label="First seen from (UTC)" name="from" type="datetime-local" value={forInput(typed['from'])} />
        <Field label="First seen before (UTC)" name="to" type="datetime-local" value={forInput(typed['to'])} />
      </div>
    </details>
    <button type="submit">Filter</button>
    <a href="/ops/failures">Reset</a>
  </form>
);

/** @returns a time as the input takes it */
const forInput = (text: string | undefined): string | undefined => text?.slice(0, 16);

const QuickFilters = ({ counts, typed }: { counts: FailureCount[]; typed: Record<string, string> }) =>
  counts.length === 0 ? null : (
    <nav aria-label="Counts by kind, step and error">
      <ul class="chips">
        {counts.map(({ kind, step, errorType, count }) => (
          <li>
            <a href={`/ops/failures${queryOf({ ...typed, kind, step, errorType })}`}>
              <strong>{number(count)}</strong> {words(kind)} · {words(step)} · {words(errorType)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );

/** Choosing is a GET: it leads to the dry run, and changes nothing. */
const Selection = (props: { failures: Failure[]; matching: number; typed: Record<string, string> }) => (
  <form method="get" action="/ops/replays/new" data-selection>
    {Object.entries(props.typed).map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <div class="toolbar" role="group" aria-label="Act on the selection">
      <label class="tick" hidden>
        <input type="checkbox" data-select-all /> This page
      </label>
      <label class="tick">
        <input type="checkbox" name="scope" value="all" data-matching={number(props.matching)} /> All{' '}
        {number(props.matching)} matching
      </label>
      <span class="grow" data-selected role="status"></span>
      <button type="submit" name="action" value="retry" class="primary">
        Dry-run a retry
      </button>
      <button type="submit" name="action" value="cancel">
        Dry-run a cancellation
      </button>
    </div>
    <Table label="Failures" columns={['Select', 'Failure', 'Error', 'Order or signup', 'Attempts', 'Last seen', 'Status']}>
      {props.failures.map((failure) => (
        <tr>
          <td data-label="Select">
            <input type="checkbox" name="ids" value={failure.id} aria-label={`Select failure ${shortId(failure.id)}`} />
          </td>
          <th scope="row">
            <a href={`/ops/failures/${failure.id}`}>
              {words(failure.kind)}: {words(failure.step)}
            </a>
          </th>
          <td data-label="Error">
            <strong>{words(failure.errorType)}</strong>
            <br />
            <span class="clip">{failure.errorMessage}</span>
          </td>
          <td data-label="About">
            <About failure={failure} />
          </td>
          <td data-label="Attempts" class="number">
            {number(failure.attempts)}
          </td>
          <td data-label="Last seen">
            <Time at={failure.lastSeenAt} />
          </td>
          <td data-label="Status">
            <Status of={failure.status} />
          </td>
        </tr>
      ))}
    </Table>
  </form>
);

/** What a failure is about, linked. */
export const About = ({ failure: { orderId, signupId, workflowId } }: { failure: Failure }) => {
  if (orderId) return <a href={`/ops/orders/${orderId}`}>order {shortId(orderId)}</a>;
  if (signupId) return <a href={`/ops/signups/${signupId}`}>signup {shortId(signupId)}</a>;
  return <code>{workflowId}</code>;
};
