import type { Bucket, SeriesSpan } from '../../queries/series.ts';
import type { ShopState } from '../../queries/shop.ts';
import { duration, number } from '../kit/format.tsx';
import { Figures } from '../kit/layout.tsx';
import { Status } from '../kit/status.tsx';
import { Chart } from './chart.tsx';

/** Orders, failures and commands, over time and now. */
export interface ActivitySeen {
  span: SeriesSpan;
  shop: ShopState;
  series: Bucket[];
  /** The most commands waiting at once, for each bucket of the series. */
  backlog: number[];
}

const CAPTIONS: Record<SeriesSpan, string> = { hour: 'last hour', day: 'last day' };

/** Above this share, failed orders stand out. */
const ALARMING_RATE = 0.1;

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

export const Activity = ({ span, shop, series, backlog }: ActivitySeen) => {
  const caption = CAPTIONS[span];
  const of = (key: 'starts' | 'completions' | 'failures') => ({
    caption,
    figure: series.reduce((sum, bucket) => sum + bucket[key], 0),
    points: series.map((bucket) => ({ at: bucket.at, value: bucket[key] })),
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
            label: 'of finished orders failed',
            bad: shop.failureRate > ALARMING_RATE,
          },
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
