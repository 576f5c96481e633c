import { duration } from '../../contracts/duration-format.ts';
import { SERVICE_NAMES } from '../../contracts/health.ts';
import { readHealth, type Health as HealthOfParts, type ServiceHealth, type WorkerHealth } from '../../queries/health.ts';
import type { QueueState } from '../../temporal/queues.ts';
import type { PageDependencies, PartHealth } from '../environment.ts';
import { number, Time } from '../kit/format.tsx';
import { Alarm } from '../kit/layout.tsx';
import { Status } from '../kit/status.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** How the parts, the outside services, the workers and the task queues are. */
export interface HealthSeen extends HealthOfParts {
  parts: { part: string; state: PartHealth }[];
}

/** Asks each part that the API depends on, and reads what the workers have recorded. */
export async function seeHealth(deps: PageDependencies): Promise<HealthSeen> {
  const [parts, health] = await Promise.all([
    Promise.all(deps.health.map(async ({ part, check }) => ({ part, state: await check() }))),
    readHealth(deps),
  ]);
  return { parts, ...health };
}

export const Health = ({ parts, services, workers, queues: { answer } }: HealthSeen) => (
  <>
    <ul class="parts">
      {parts.map(({ part, state }) => (
        <li>
          <b>{part}</b> <Status of={state} />
        </li>
      ))}
    </ul>
    <Table label="Outside services" columns={SERVICE_COLUMNS} rows={services} />
    <Table label="Workers" columns={WORKER_COLUMNS} rows={workers} empty="No worker is running. Nothing is executed, and nothing probes the services." />
    {answer ? (
      <Queues queues={answer} />
    ) : (
      <Alarm>Temporal is unavailable. Orders are still accepted, and continue once it is back.</Alarm>
    )}
  </>
);

const SERVICE_COLUMNS: Columns<ServiceHealth> = [
  { title: 'Service', cell: ({ service }) => SERVICE_NAMES[service] },
  { title: 'State', cell: ({ state }) => <Status of={state} /> },
  { title: 'Answering since', cell: ({ answeringSince }) => (answeringSince ? <Time at={answeringSince} exact /> : '–') },
  { title: 'Last success', cell: ({ lastSuccessAt }) => (lastSuccessAt ? <Time at={lastSuccessAt} /> : 'never') },
  {
    title: 'Last failure',
    cell: ({ lastFailureAt, lastError }) =>
      lastFailureAt ? (
        <>
          <Time at={lastFailureAt} /> <span class="clip">{lastError}</span>
        </>
      ) : (
        'none'
      ),
  },
];

const WORKER_COLUMNS: Columns<WorkerHealth> = [
  { title: 'Worker', cell: ({ identity }) => <code>{identity}</code> },
  { title: 'Host', cell: ({ host }) => host },
  { title: 'Version', cell: ({ version }) => version },
  { title: 'Queues', cell: ({ queues }) => queues.join(', ') },
  { title: 'Started', cell: ({ startedAt }) => <Time at={startedAt} /> },
  { title: 'Last seen', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
  { title: 'State', cell: ({ state }) => <Status of={state} /> },
];

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
