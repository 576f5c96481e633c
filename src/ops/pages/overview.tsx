import type { Hono } from 'hono';
import { z } from 'zod';
import type { FailureKind } from '../../contracts/statuses.ts';
import { readAttention, type Attention } from '../attention.ts';
import { readBacklogPeaks } from '../backlog.ts';
import { readQueues, readShop, type QueueState, type ShopState } from '../queues.ts';
import { listRetrying, type RetryingStep } from '../retrying.ts';
import { readSeries, SERIES_SPANS, type Bucket, type SeriesSpan } from '../series.ts';
import { askTemporal, type TemporalAnswer } from '../temporal.ts';
import { Chart } from './chart.tsx';
import type { PageDependencies, PageEnv } from './environment.ts';
import { queryOf } from './filters.ts';
import { duration, number, plural, shortId, Time, words } from './format.tsx';
import { Empty, PageHead, Panel, Region, Table, type Regions } from './layout.tsx';
import { streamUpdates } from './live.ts';
import { respond } from './respond.tsx';
import { Status } from './status.tsx';

/** How many of the steps that are being retried are shown. */
const RETRYING = 10;

const spanSchema = z.enum(SERIES_SPANS).catch('hour');

/** What needs a person first; then how much is going on, and how each part is. */
export function overviewPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db, temporal, stopping } = deps;

  app.get('/', async (c) => {
    const span = spanSchema.parse(c.req.query('span'));
    const regions = regionsOf(await read(span));
    return respond(c, deps, {
      title: 'Overview',
      section: '/ops',
      live: `/ops/live?span=${span}`,
      children: (
        <>
          <PageHead title="Overview" />
          <Panel title="Needs a person" id="attention">
            <Region id="attention-now" of={regions} />
          </Panel>
          <Panel
            title="Going on"
            id="charts"
            note={
              <nav class="tabs" aria-label="Span">
                <a href="/ops?span=hour" aria-current={span === 'hour' ? 'true' : undefined}>
                  Last hour
                </a>
                <a href="/ops?span=day" aria-current={span === 'day' ? 'true' : undefined}>
                  Last day
                </a>
              </nav>
            }
          >
            <Region id="charts-now" of={regions} />
            <Region id="shop-now" of={regions} />
          </Panel>
          <Panel title="Health" id="health">
            <Region id="health-now" of={regions} />
          </Panel>
          <Panel title="Retrying, not failed yet" id="retrying">
            <Region id="retrying-now" of={regions} />
          </Panel>
        </>
      ),
    });
  });

  app.get('/live', (c) => {
    const span = spanSchema.parse(c.req.query('span'));
    return streamUpdates(c, {
      every: 3_000,
      stopping,
      read: async () => {
        const seen = await read(span);
        const open = seen.attention.groups.reduce((sum, group) => sum + group.count, 0);
        return { regions: regionsOf(seen), announcement: `${plural(open, 'failure')} open.`, done: false };
      },
    });
  });

  async function read(span: SeriesSpan): Promise<Seen> {
    const [attention, shop, series, queues, retrying, parts] = await Promise.all([
      readAttention(db),
      readShop(db),
      readSeries(db, span),
      askTemporal(temporal, () => readQueues(temporal)),
      askTemporal(temporal, () => listRetrying(db, temporal, RETRYING)),
      Promise.all(deps.health.map(async ({ part, check }) => ({ part, state: await check() }))),
    ]);
    const backlog = await readBacklogPeaks(
      db,
      series.map(({ at }) => at),
    );
    return { span, attention, shop, series, backlog, queues, retrying, parts };
  }
}

interface Seen {
  span: SeriesSpan;
  attention: Attention;
  shop: ShopState;
  series: Bucket[];
  /** The most commands that waited at once in each bucket of the series. */
  backlog: number[];
  queues: TemporalAnswer<QueueState[]>;
  retrying: TemporalAnswer<RetryingStep[]>;
  parts: { part: string; state: string }[];
}

const regionsOf = (seen: Seen): Regions => ({
  'attention-now': <NeedsPerson attention={seen.attention} />,
  'charts-now': <Charts {...seen} />,
  'shop-now': <Shop shop={seen.shop} />,
  'health-now': <Health {...seen} />,
  'retrying-now': <Retrying retrying={seen.retrying} />,
});

const KIND_WORDS: Record<FailureKind, string> = {
  compensation: 'cannot be undone',
  run: 'runs broken by the code',
  command: 'commands set aside',
  step: 'orders parked at',
  late_shipment: 'shipments late',
  email: 'emails not sent',
};

const LOUD: readonly FailureKind[] = ['compensation', 'run', 'command'];

const NeedsPerson = ({ attention: { groups, approvals } }: { attention: Attention }) => {
  if (groups.length === 0 && approvals.count === 0) {
    return (
      <p class="all-well">
        <span aria-hidden="true">✓</span> Nothing needs a person.
      </p>
    );
  }
  return (
    <ul class="attention">
      {groups.map(({ kind, step, errorType, count, oldest }) => (
        <li class={LOUD.includes(kind) ? 'loud' : undefined}>
          <a href={`/ops/failures${queryOf({ status: 'open', kind, step, errorType })}`}>
            <strong>{number(count)}</strong>
            <span>
              {KIND_WORDS[kind]}: <b>{words(step)}</b> · {words(errorType)}
            </span>
          </a>
          <span class="hint">
            oldest <Time at={oldest} />
          </span>
        </li>
      ))}
      {approvals.count > 0 ? (
        <li>
          <a href="/ops/orders?status=awaiting_approval">
            <strong>{number(approvals.count)}</strong>
            <span>{approvals.count === 1 ? 'order awaits' : 'orders await'} an approval</span>
          </a>
          {approvals.oldest ? (
            <span class="hint">
              oldest <Time at={approvals.oldest} />
            </span>
          ) : null}
        </li>
      ) : null}
    </ul>
  );
};

const Charts = ({ span, series, backlog }: Pick<Seen, 'span' | 'series' | 'backlog'>) => {
  const caption = span === 'hour' ? 'in the last hour' : 'in the last day';
  const of = (key: 'starts' | 'completions' | 'failures') => ({
    caption,
    figure: series.reduce((sum, bucket) => sum + bucket[key], 0),
    points: series.map((bucket) => ({ at: bucket.at, value: bucket[key] })),
  });
  const waiting = series.map(({ at }, index) => ({ at, value: backlog[index] ?? 0 }));
  return (
    <div class="charts">
      <Chart title="Orders begun" tone="accent" {...of('starts')} />
      <Chart title="Orders completed" tone="good" {...of('completions')} />
      <Chart title="Failures opened" tone="bad" {...of('failures')} />
      <Chart
        title="Commands waiting"
        tone="accent"
        caption="at the peak"
        figure={Math.max(0, ...backlog)}
        points={waiting}
      />
    </div>
  );
};

const Shop = ({ shop }: { shop: ShopState }) => (
  <>
    <ul class="figures">
      <li>
        <strong>{number(shop.startsPerMinute)}</strong> begun a minute
      </li>
      <li>
        <strong>{number(shop.completionsPerMinute)}</strong> completed a minute
      </li>
      <li class={shop.failureRate > 0.1 ? 'bad' : undefined}>
        <strong>{Math.round(shop.failureRate * 100)} %</strong> of those ended failed
      </li>
      <li>
        <strong>{number(shop.commandsWaiting)}</strong> commands wait
        {shop.commandsWaiting > 0 ? `, the oldest ${duration(shop.oldestCommandAge)}` : ''}
      </li>
    </ul>
    <ul class="chips" aria-label="Orders by status">
      {shop.ordersByStatus.map(({ status, count }) => (
        <li>
          <a href={`/ops/orders?status=${status}`}>
            <strong>{number(count)}</strong> <Status of={status} />
          </a>
        </li>
      ))}
    </ul>
  </>
);

const Health = (props: Pick<Seen, 'parts' | 'queues'>) => (
  <>
    <ul class="parts">
      {props.parts.map(({ part, state }) => (
        <li>
          <b>{part}</b> <Status of={state} />
        </li>
      ))}
    </ul>
    {props.queues.temporal === 'unavailable' ? (
      <p class="alarm">
        <span aria-hidden="true">✕</span> Temporal does not answer: orders are still taken, and go on when it is back.
      </p>
    ) : (
      <Queues queues={props.queues.answer} />
    )}
  </>
);

const Queues = ({ queues }: { queues: QueueState[] }) => (
  <>
    {queues
      .filter(({ warning }) => warning !== undefined)
      .map(({ queue, warning }) => (
        <p class="alarm">
          <span aria-hidden="true">✕</span> <b>{queue}</b>: {warning}. Nothing of this queue is done until a worker runs.
        </p>
      ))}
    <Table
      label="Task queues"
      columns={['Queue', 'Pollers (workflows, activities)', 'Backlog', 'Oldest', 'Added a second', 'Taken a second', 'State']}
    >
      {queues.map(({ queue, taskQueue, workflows, activities, warning }) => (
        <tr>
          <th scope="row">
            <span title={taskQueue}>{queue}</span>
          </th>
          <td data-label="Pollers" class="number">
            {workflows.pollers}, {activities.pollers}
          </td>
          <td data-label="Backlog" class="number">
            {number(workflows.backlog + activities.backlog)}
          </td>
          <td data-label="Oldest" class="number">
            {workflows.backlog + activities.backlog === 0
              ? '–'
              : duration(Math.max(workflows.backlogAge, activities.backlogAge))}
          </td>
          <td data-label="Added a second" class="number">
            {(workflows.addedPerSecond + activities.addedPerSecond).toFixed(1)}
          </td>
          <td data-label="Taken a second" class="number">
            {(workflows.dispatchedPerSecond + activities.dispatchedPerSecond).toFixed(1)}
          </td>
          <td data-label="State">
            <Status of={warning === undefined ? 'ok' : 'failing'} />
          </td>
        </tr>
      ))}
    </Table>
  </>
);

const Retrying = ({ retrying }: { retrying: TemporalAnswer<RetryingStep[]> }) => {
  if (retrying.temporal === 'unavailable') return <Empty>Temporal does not answer.</Empty>;
  if (retrying.answer.length === 0) return <Empty>No step is being retried.</Empty>;
  return (
    <Table label="Steps being retried" columns={['Order', 'Step', 'Attempt', 'Last error', 'Next attempt']}>
      {retrying.answer.map(({ orderId, kind, step, attempts, errorType, errorMessage, pending }) => (
        <tr>
          <th scope="row">
            <a href={`/ops/orders/${orderId}`}>order {shortId(orderId)}</a>
          </th>
          <td data-label="Step">
            {kind === 'compensation' ? 'undoing ' : ''}
            {words(step)}
          </td>
          <td data-label="Attempt" class="number">
            {pending?.attempt ?? attempts}
          </td>
          <td data-label="Last error">
            <strong>{words(errorType ?? 'unknown')}</strong> <span class="clip">{errorMessage}</span>
          </td>
          <td data-label="Next attempt">{pending?.nextAttemptAt ? <Time at={pending.nextAttemptAt} /> : 'under way'}</td>
        </tr>
      ))}
    </Table>
  );
};
