import type { RunState } from '../runs.ts';
import { Time, words } from './format.tsx';
import { Empty, Table } from './layout.tsx';

/** What a run waits for, as Temporal sees it now. */
export const Pending = ({ temporal, run }: { temporal: 'ok' | 'unavailable'; run: RunState | null | undefined }) => {
  if (temporal === 'unavailable') return <Empty>Temporal does not answer.</Empty>;
  if (!run) return <Empty>Temporal does not know the run: it has not begun, or is forgotten.</Empty>;
  const { pendingActivities, workflowTaskAttempt } = run;
  return (
    <>
      {workflowTaskAttempt > 1 ? (
        <p class="alarm">
          <span aria-hidden="true">✕</span> The workflow's code fails: attempt {workflowTaskAttempt} of its task is under way.
        </p>
      ) : null}
      {pendingActivities.length === 0 ? (
        <Empty>The run is {run.status.toLowerCase()}; no activity is pending.</Empty>
      ) : (
        <Table label="Pending activities" columns={['Activity', 'Attempt', 'Last failure', 'Next attempt']}>
          {pendingActivities.map(({ activity, attempt, maximumAttempts, lastFailure, nextAttemptAt }) => (
            <tr>
              <th scope="row">{activity}</th>
              <td data-label="Attempt">
                {attempt}
                {maximumAttempts === undefined ? ', without limit' : ` of ${maximumAttempts}`}
              </td>
              <td data-label="Last failure">
                {lastFailure ? (
                  <>
                    <strong>{words(lastFailure.type)}</strong> {lastFailure.message}
                  </>
                ) : (
                  'none'
                )}
              </td>
              <td data-label="Next attempt">{nextAttemptAt ? <Time at={nextAttemptAt} /> : 'under way'}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
};
