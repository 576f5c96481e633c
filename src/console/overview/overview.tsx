import type { Hono } from 'hono';
import { z } from 'zod';
import { readAttention, type Attention } from '../../queries/attention.ts';
import { readBacklogPeaks } from '../../queries/backlog.ts';
import { readLatencies } from '../../queries/latency.ts';
import { readRetrying, type Retrying as RetryingSteps } from '../../queries/retrying.ts';
import { readSeries, SERIES_SPANS, type SeriesSpan } from '../../queries/series.ts';
import { readShop } from '../../queries/shop.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { plural } from '../kit/format.tsx';
import { livePage } from '../kit/live.tsx';
import { Activity, SpanTabs, type ActivitySeen } from './activity.tsx';
import { NeedsAttention } from './attention.tsx';
import { Health, seeHealth, type HealthSeen } from './health.tsx';
import { Retrying } from './retrying.tsx';

interface Seen {
  attention: Attention;
  activity: ActivitySeen;
  health: HealthSeen;
  retrying: RetryingSteps;
}

/** Retrying steps shown at most. */
const RETRYING = 10;

const spanSchema = z.enum(SERIES_SPANS).catch('hour');

/** What needs attention first, then activity and health. */
export function overviewPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;
  livePage<Seen>(app, deps, '/', {
    section: '/ops',
    every: 3_000,
    read: async (c) => {
      const [attention, activity, health, retrying] = await Promise.all([
        readAttention(db),
        readActivity(spanSchema.parse(c.req.query('span'))),
        seeHealth(deps),
        readRetrying(deps, RETRYING),
      ]);
      return { attention, activity, health, retrying };
    },
    title: () => 'Overview',
    parts: ({ attention, activity, health, retrying }, session) => [
      { id: 'attention', title: 'Needs attention', content: <NeedsAttention attention={attention} services={health.services} session={session} /> },
      { id: 'activity', title: 'Activity', note: <SpanTabs span={activity.span} />, content: <Activity {...activity} /> },
      { id: 'health', title: 'Health', content: <Health {...health} /> },
      { id: 'retrying', title: 'Retrying', content: <Retrying {...retrying} /> },
    ],
    announce: ({ attention: { groups } }) => `${plural(groups.reduce((sum, { count }) => sum + count, 0), 'open failure')}.`,
  });

  async function readActivity(span: SeriesSpan): Promise<ActivitySeen> {
    const [shop, series, latencies] = await Promise.all([readShop(db), readSeries(db, span), readLatencies(db)]);
    const backlog = await readBacklogPeaks(
      db,
      series.map(({ at }) => at),
    );
    return { span, shop, series, backlog, latencies };
  }
}
