import type { TemporalHealth } from '../../temporal/availability.ts';
import type { PendingActivity, RunState } from '../../temporal/runs.ts';
import { ErrorText, NextAttempt, words } from './format.tsx';
import { Alarm, Empty } from './layout.tsx';
import { Table, type Columns } from './table.tsx';

/** What Temporal says of a run. */
interface PendingProps {
  temporal: TemporalHealth;
  run: RunState | null | undefined;
  /** Whether the run waits for a person. */
  awaitsDecision: boolean;
}

/** The activities that a run is executing now. */
export const Pending = ({ temporal, run, awaitsDecision }: PendingProps) => {
  if (temporal === 'unavailable') return <Empty>Temporal is unavailable.</Empty>;
  if (!run) return <Empty>Temporal has no run: it has not started yet, or its retention has passed.</Empty>;
  return (
    <>
      {run.workflowTaskAttempt > 1 ? (
        <Alarm>The workflow code is failing: attempt {run.workflowTaskAttempt} of its workflow task.</Alarm>
      ) : null}
      <Table label="Pending activities" columns={COLUMNS} rows={run.pendingActivities} empty={idle(run, awaitsDecision)} />
    </>
  );
};

function idle({ status }: RunState, awaitsDecision: boolean): string {
  if (status !== 'RUNNING') return `The run has ended. Temporal shows it as ${words(status.toLowerCase())}.`;
  return awaitsDecision ? 'Nothing is executing; waiting for a decision.' : 'Nothing is executing.';
}

const COLUMNS: Columns<PendingActivity> = [
  { title: 'Activity', cell: ({ activity }) => activity },
  {
    title: 'Attempt',
    cell: ({ attempt, maximumAttempts }) =>
      maximumAttempts === undefined ? `${attempt}, no limit` : `${attempt} of ${maximumAttempts}`,
  },
  {
    title: 'Last error',
    cell: ({ lastFailure }) => <ErrorText type={lastFailure?.type ?? null} message={lastFailure?.message ?? null} />,
  },
  { title: 'Next attempt', cell: ({ nextAttemptAt }) => <NextAttempt at={nextAttemptAt} /> },
];
