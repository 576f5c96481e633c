import type { Hono } from 'hono';
import { formatMoney } from '../../contracts/money.ts';
import { listReports, type WeeklyReport } from '../../queries/reports.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { number } from '../kit/format.tsx';
import { respond } from '../kit/respond.tsx';
import { Table, type Columns } from '../kit/table.tsx';

/** A year of weeks. */
const SHOWN = 52;

/** The weekly reports, newest first. */
export function reportList(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/reports', async (c) =>
    respond(c, deps, {
      title: 'Weekly reports',
      section: '/ops/reports',
      hint: (
        <>
          A <a href="/ops/schedules">schedule</a> creates one every week. To create a missing report, run a backfill there.
        </>
      ),
      children: (
        <Table label="Weekly reports" columns={COLUMNS} rows={await listReports(deps.db, SHOWN)} empty="No reports yet." />
      ),
    }),
  );
}

const COLUMNS: Columns<WeeklyReport> = [
  { title: 'Week', cell: ({ week }) => <a href={`/ops/reports/${week}`}>{week}</a> },
  { title: 'Orders', number: true, cell: ({ figures }) => number(figures.orders.accepted) },
  { title: 'Completed', number: true, cell: ({ figures }) => number(figures.orders.completed) },
  { title: 'Failed', number: true, cell: ({ figures }) => number(figures.orders.failed) },
  { title: 'Captured', number: true, cell: ({ figures: { money, currency } }) => formatMoney(money.captured, currency) },
  { title: 'Refunded', number: true, cell: ({ figures: { money, currency } }) => formatMoney(money.refunded, currency) },
  { title: 'Signups', number: true, cell: ({ figures }) => number(figures.signups.started) },
  { title: 'Failures opened', number: true, cell: ({ figures }) => number(figures.failures.opened) },
];
