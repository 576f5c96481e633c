import type { Retrying as RetryingSteps, RetryingStep } from '../../queries/retrying.ts';
import { ErrorText, IdLink, NextAttempt, number, words } from '../kit/format.tsx';
import { Alarm } from '../kit/layout.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** The steps that are being retried. Postgres knows them; only Temporal knows their next attempts. */
export const Retrying = ({ temporal, steps }: RetryingSteps) => (
  <>
    {temporal === 'unavailable' && steps.length > 0 ? (
      <Alarm>Temporal is unavailable, so the next attempts are not known.</Alarm>
    ) : null}
    <Table
      label="Steps being retried"
      columns={temporal === 'ok' ? [...COLUMNS, NEXT_ATTEMPT] : COLUMNS}
      rows={steps}
      empty="No step is being retried."
    />
  </>
);

const COLUMNS: Columns<RetryingStep> = [
  { title: 'Order', cell: ({ orderId }) => <IdLink to="order" id={orderId} /> },
  { title: 'Step', cell: ({ kind, step }) => `${kind === 'compensation' ? 'undo ' : ''}${words(step)}` },
  { title: 'Attempts', number: true, cell: ({ pending, attempts }) => number(pending?.attempt ?? attempts) },
  { title: 'Last error', cell: ({ errorType, errorMessage }) => <ErrorText type={errorType} message={errorMessage} /> },
];

const NEXT_ATTEMPT: Columns<RetryingStep>[0] = {
  title: 'Next attempt',
  cell: ({ pending }) => <NextAttempt at={pending?.nextAttemptAt} />,
};
