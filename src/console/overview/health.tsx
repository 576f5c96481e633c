import { askTemporal, type TemporalAnswer } from '../../temporal/availability.ts';
import { readQueues, type QueueState } from '../../temporal/queues.ts';
import type { PageDependencies, PartHealth } from '../environment.ts';
import { duration, number } from '../kit/format.tsx';
import { Alarm } from '../kit/layout.tsx';
import { Status } from '../kit/status.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** How the parts and the task queues are. */
export interface HealthSeen {
  parts: { part: string; state: PartHealth }[];
  queues: TemporalAnswer<QueueState[]>;
}

/** Asks each part, and Temporal for its queues. */
export async function readHealth({ temporal, health }: PageDependencies): Promise<HealthSeen> {
  const [parts, queues] = await Promise.all([
    Promise.all(health.map(async ({ part, check }) => ({ part, state: await check() }))),
    askTemporal(temporal, () => readQueues(temporal)),
  ]);
  return { parts, queues };
}

export const Health = ({ parts, queues: { answer } }: HealthSeen) => (
  <>
    <ul class="parts">
      {parts.map(({ part, state }) => (
        <li>
          <b>{part}</b> <Status of={state} />
        </li>
      ))}
    </ul>
    {answer ? (
      <Queues queues={answer} />
    ) : (
      <Alarm>Temporal is unavailable. Orders are still accepted, and continue once it is back.</Alarm>
    )}
  </>
);

const COLUMNS: Columns<QueueState> = [
  { title: 'Queue', cell: ({ queue, taskQueue }) => <span title={taskQueue}>{queue}</span> },
  { title: 'Workflow pollers', number: true, cell: ({ workflows }) => number(workflows.pollers) },
  { title: 'Activity pollers', number: true, cell: ({ activities }) => number(activities.pollers) },
  { title: 'Backlog', number: true, cell: ({ workflows, activities }) => number(workflows.backlog + activities.backlog) },
  {
    title: 'Oldest',
    number: true,
    cell: ({ workflows, activities }) =>
      workflows.backlog + activities.backlog === 0 ? '–' : duration(Math.max(workflows.backlogAge, activities.backlogAge)),
  },
  {
    title: 'Added per second',
    number: true,
    cell: ({ workflows, activities }) => (workflows.addedPerSecond + activities.addedPerSecond).toFixed(1),
  },
  {
    title: 'Dispatched per second',
    number: true,
    cell: ({ workflows, activities }) => (workflows.dispatchedPerSecond + activities.dispatchedPerSecond).toFixed(1),
  },
  { title: 'State', cell: ({ warning }) => <Status of={warning === undefined ? 'ok' : 'failing'} /> },
];

const Queues = ({ queues }: { queues: QueueState[] }) => (
  <>
    {queues
      .filter(({ warning }) => warning !== undefined)
      .map(({ queue, warning }) => (
        <Alarm>
          <b>{queue}</b>: {warning}. Its tasks wait until a worker runs.
        </Alarm>
      ))}
    <Table label="Task queues" columns={COLUMNS} rows={queues} />
  </>
);
