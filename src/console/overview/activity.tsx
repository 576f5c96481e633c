import { duration } from '../../contracts/duration-format.ts';
import type { Latencies, Latency } from '../../queries/latency.ts';
import { endOf, type Bucket, type SeriesSpan } from '../../queries/series.ts';
import type { ShopState } from '../../queries/shop.ts';
import { number, plural } from '../kit/format.tsx';
import { Figures, type Figure } from '../kit/layout.tsx';
import { ANY_STATUS, queryOf } from '../kit/search.ts';
import { Status } from '../kit/status.tsx';
import { Chart } from './chart.tsx';

/** Orders, failures and commands, over time and now. */
export interface ActivitySeen {
  span: SeriesSpan;
  shop: ShopState;
  series: Bucket[];
  /** The most commands waiting at once, for each bucket of the series. */
  backlog: number[];
  latencies: Latencies;
}

const CAPTIONS: Record<SeriesSpan, string> = { hour: 'last hour', day: 'last day' };

/** Above this share, failed orders stand out. */
const ALARMING_RATE = 0.1;

/** A span of time, as lists take it. */
interface Window {
  from: string;
  to: string;
}

const windowOf = (span: SeriesSpan, { at }: Bucket): Window => ({ from: at.toISOString(), to: endOf(span, at).toISOString() });

/** The list of what one bar counts. */
const LISTS: Record<'starts' | 'completions' | 'failures', (window: Window) => string> = {
  starts: (window) => `/ops/orders${queryOf({ reached: 'accepted', ...window })}`,
  completions: (window) => `/ops/orders${queryOf({ reached: 'completed', ...window })}`,
  failures: (window) => `/ops/failures${queryOf({ status: ANY_STATUS, ...window })}`,
};

const latencyFigure = (milestone: string, latency: Latency | null): Figure => ({
  value: latency ? `${duration(latency.p50)} · ${duration(latency.p95)}` : '–',
  label: `p50 · p95 from accepted to ${milestone}${latency ? ` (${plural(latency.orders, 'order')}, last day)` : ''}`,
});

export const SpanTabs = ({ span }: { span: SeriesSpan }) => (
  <nav class="tabs" aria-label="Time span">
    <a href="/ops?span=hour" aria-current={span === 'hour' ? 'true' : undefined}>
      Last hour
    </a>
    <a href="/ops?span=day" aria-current={span === 'day' ? 'true' : undefined}>
      Last day
    </a>
  </nav>
);

export const Activity = ({ span, shop, series, backlog, latencies }: ActivitySeen) => {
  const caption = CAPTIONS[span];
  const of = (key: 'starts' | 'completions' | 'failures') => ({
    caption,
    figure: series.reduce((sum, bucket) => sum + bucket[key], 0),
    points: series.map((bucket) => ({ at: bucket.at, value: bucket[key], href: LISTS[key](windowOf(span, bucket)) })),
  });
  const waiting = series.map(({ at }, index) => ({ at, value: backlog[index] ?? 0 }));
  return (
    <>
      <div class="charts">
        <Chart title="Orders started" tone="accent" {...of('starts')} />
        <Chart title="Orders completed" tone="good" {...of('completions')} />
        <Chart title="Failures opened" tone="bad" {...of('failures')} />
        <Chart
          title="Peak backlog"
          tone="accent"
          caption={`commands waiting, ${caption}`}
          figure={Math.max(0, ...backlog)}
          points={waiting}
        />
      </div>
      <Figures
        of={[
          { value: shop.startsPerMinute, label: 'orders started per minute' },
          { value: shop.completionsPerMinute, label: 'completed per minute' },
          {
            value: `${Math.round(shop.failureRate * 100)} %`,
            label: 'of finished orders failed in the last ten minutes',
            bad: shop.failureRate > ALARMING_RATE,
          },
          latencyFigure('charged', latencies.charged),
          latencyFigure('shipped', latencies.shipped),
          {
            value: shop.commandsWaiting,
            label: `commands waiting${shop.commandsWaiting > 0 ? `, oldest ${duration(shop.oldestCommandAge)}` : ''}`,
          },
        ]}
      />
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
};
