import type { Hono } from 'hono';
import { failureFilterSchema, type FailureFilter } from '../../contracts/failure-filter.ts';
import { serviceOf } from '../../contracts/health.ts';
import { decimalAmount, formatMoney } from '../../contracts/money.ts';
import { FAILURE_KINDS, FAILURE_STATUSES, LIVE_FAILURE_STATUSES } from '../../contracts/statuses.ts';
import { MOST_COUNTED } from '../../queries/counting.ts';
import { countFailures, listFailuresWithAmounts, readFailureSpan, type FailureCount } from '../../queries/failures.ts';
import { readServices } from '../../queries/health.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { failureName, FailureSubject } from '../kit/failure.tsx';
import { FILTER_LABELS as LABELS } from '../kit/filter-labels.ts';
import { ErrorText, number, Time, upTo, words } from '../kit/format.tsx';
import { Choice, Field, optionsOf } from '../kit/forms.tsx';
import { listPage, UUID_CURSOR } from '../kit/list.tsx';
import { ANY_STATUS, queryOf } from '../kit/search.ts';
import { RetryAll, ServiceNote } from '../kit/service-note.tsx';
import { Status } from '../kit/status.tsx';

type Typed = Record<string, string>;

/** The failures: filters, counts as quick filters, and a selection to act on. */
export function failureList(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;
  listPage(app, deps, {
    section: '/ops/failures',
    title: 'Failures',
    noun: 'failures',
    size: 50,
    search: failureFilterSchema,
    initial: { status: 'open' },
    cursor: UUID_CURSOR,
    find: async ({ typed, meant }, page, caller) => {
      const [rows, counts, note] = await Promise.all([listFailuresWithAmounts(db, meant, page), countFailures(db, meant, mostCounted(meant)), noteOf(meant)]);
      const count = sumOf(counts);
      const most = mostCounted(meant) ?? Infinity;
      const matching = upTo(most, count);
      const onlyOpen = typed['status'] === 'open' && Object.keys(typed).length === 1;
      return {
        rows,
        hint: `${matching} matching ${count === 1 ? 'failure' : 'failures'}`,
        above: (
          <>
            {note ? (
              <ServiceNote {...note}>
                <RetryAll filter={meant} counts={counts} caller={caller} />
              </ServiceNote>
            ) : null}
            <QuickFilters counts={counts} isMore={count > most} typed={typed} />
          </>
        ),
        empty: onlyOpen ? 'All clear: no open failures.' : 'No failures match.',
        selection: {
          noun: 'failure',
          matching,
          filter: typed,
          actions: [
            { action: 'retry', label: 'Dry-run a retry' },
            { action: 'cancel', label: 'Dry-run a cancellation' },
          ],
        },
      };
    },
    idOf: ({ id }) => id,
    columns: [
      { title: 'Failure', cell: (failure) => <a href={`/ops/failures/${failure.id}`}>{failureName(failure)}</a> },
      { title: 'Error', cell: ({ errorType, errorMessage }) => <ErrorText type={errorType} message={errorMessage} /> },
      { title: 'About', cell: (failure) => <FailureSubject failure={failure} /> },
      {
        title: 'Amount',
        number: true,
        cell: ({ amount, currency }) => (amount === null || currency === null ? '–' : formatMoney(amount, currency)),
      },
      { title: 'Age', cell: ({ firstSeenAt }) => <Time at={firstSeenAt} /> },
      { title: 'Attempts', number: true, cell: ({ attempts }) => number(attempts) },
      { title: 'Last seen', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
      { title: 'Status', cell: ({ status }) => <Status of={status} /> },
    ],
    csv: {
      columns: [
        ['Failure', ({ id }) => id],
        ['Kind', ({ kind }) => kind],
        ['Step', ({ step }) => step],
        ['Error', ({ errorType }) => errorType],
        ['Message', ({ errorMessage }) => errorMessage],
        ['Order', ({ orderId }) => orderId],
        ['Signup', ({ signupId }) => signupId],
        ['Amount', ({ amount, currency }) => (amount === null || currency === null ? null : Number(decimalAmount(amount, currency)))],
        ['Currency', ({ currency }) => currency],
        ['Attempts', ({ attempts }) => attempts],
        ['First seen', ({ firstSeenAt }) => firstSeenAt],
        ['Last seen', ({ lastSeenAt }) => lastSeenAt],
        ['Status', ({ status }) => status],
      ],
      count: async (meant, most) => sumOf(await countFailures(db, meant, most)),
      rows: (meant, page) => listFailuresWithAmounts(db, meant, page),
    },
    fields: (typed) => <Filters typed={typed} />,
  });

  /** Open failures of one error type are a group, as the overview and alerts count them. */
  async function noteOf(filter: FailureFilter) {
    const { status, errorType } = filter;
    if (status !== 'open' || errorType === undefined || serviceOf(errorType) === undefined) return undefined;
    const [services, span] = await Promise.all([readServices(db), readFailureSpan(db, filter)]);
    return span && { services, failed: { errorType, ...span } };
  }
}

/** @returns how many failures are counted, the newest: all that are not closed, because each group of them has to be seen */
const mostCounted = ({ status }: FailureFilter): number | undefined =>
  status !== undefined && LIVE_FAILURE_STATUSES.includes(status) ? undefined : MOST_COUNTED;

const sumOf = (counts: FailureCount[]): number => counts.reduce((sum, { count }) => sum + count, 0);

const Filters = ({ typed }: { typed: Typed }) => (
  <>
    <Choice
      label={LABELS.status}
      name="status"
      value={typed['status']}
      options={[{ value: ANY_STATUS, label: 'any' }, ...optionsOf(FAILURE_STATUSES)]}
    />
    <Choice label={LABELS.kind} name="kind" any="any" value={typed['kind']} options={optionsOf(FAILURE_KINDS)} />
    <Field label={LABELS.step} name="step" value={typed['step']} />
    <Field label={LABELS.errorType} name="errorType" value={typed['errorType']} />
    <Field label={LABELS.text} name="text" value={typed['text']} />
    <details class="more" open={['orderId', 'customerEmail', 'from', 'to'].some((field) => field in typed)}>
      <summary>More filters</summary>
      <div>
        <Field label={LABELS.orderId} name="orderId" value={typed['orderId']} wide />
        <Field label={LABELS.customerEmail} name="customerEmail" type="email" value={typed['customerEmail']} />
        <Field label={LABELS.from} name="from" type="datetime-local" value={typed['from']?.slice(0, 16)} />
        <Field label={LABELS.to} name="to" type="datetime-local" value={typed['to']?.slice(0, 16)} />
      </div>
    </details>
  </>
);

/** @param isMore whether only the newest were counted */
const QuickFilters = ({ counts, isMore, typed }: { counts: FailureCount[]; isMore: boolean; typed: Typed }) =>
  counts.length === 0 ? null : (
    <nav aria-label="Counts by kind, step and error">
      <ul class="chips">
        {counts.map(({ count, ...group }) => (
          <li>
            <a href={`/ops/failures${queryOf({ ...typed, ...group })}`}>
              <strong>{isMore ? `${number(Math.min(count, MOST_COUNTED))}+` : number(count)}</strong> {failureName(group)} · {words(group.errorType)}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
