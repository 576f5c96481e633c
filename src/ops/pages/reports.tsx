import { desc, eq } from 'drizzle-orm';
import type { Hono } from 'hono';
import { raw } from 'hono/html';
import { formatMoney } from '../../contracts/money.ts';
import { weeklyFiguresSchema, type WeeklyFigures } from '../../contracts/report.ts';
import { weeklyReports } from '../../db/schema.ts';
import { notFound } from '../../intake/errors.ts';
import type { PageDependencies, PageEnv } from './environment.ts';
import { number, Time } from './format.tsx';
import { Empty, Facts, PageHead, Panel, Table } from './layout.tsx';
import { respond } from './respond.tsx';

const PAGE = 52;

/** The weekly reports: a list of a year, and each one's figures with its chart. */
export function reportPages(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;

  app.get('/reports', async (c) => {
    const rows = await db.select().from(weeklyReports).orderBy(desc(weeklyReports.startsAt)).limit(PAGE);
    return respond(c, deps, {
      title: 'Reports',
      section: '/ops/reports',
      children: (
        <>
          <PageHead title="Weekly reports">
            <p class="hint">
              One a week, by its <a href="/ops/schedules">schedule</a>: a missing one is made by a backfill there.
            </p>
          </PageHead>
          {rows.length === 0 ? (
            <Empty>There is none yet.</Empty>
          ) : (
            <Table
              label="Weekly reports"
              columns={['Week', 'Orders', 'Completed', 'Failed', 'Captured', 'Refunded', 'Signups', 'Failures opened']}
            >
              {rows.map(({ week, figures }) => (
                <Row week={week} figures={weeklyFiguresSchema.parse(figures)} />
              ))}
            </Table>
          )}
        </>
      ),
    });
  });

  app.get('/reports/:week', async (c) => {
    const [report] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, c.req.param('week')));
    if (!report) throw notFound('report');
    const figures = weeklyFiguresSchema.parse(report.figures);
    const { orders, money, signups, failures, currency } = figures;
    return respond(c, deps, {
      title: `Report ${report.week}`,
      section: '/ops/reports',
      children: (
        <>
          <PageHead title={`Week ${report.week}`}>
            <p class="hint">
              <Time at={report.startsAt} exact /> to <Time at={report.endsAt} exact /> UTC, days of {report.timeZone}. Made{' '}
              <Time at={report.createdAt} exact />.
            </p>
          </PageHead>
          <ul class="figures">
            <li>
              <strong>{number(orders.accepted)}</strong> orders
            </li>
            <li>
              <strong>{formatMoney(money.captured, currency)}</strong> captured
            </li>
            <li>
              <strong>{number(signups.started)}</strong> signups
            </li>
            <li class={failures.stillOpen > 0 ? 'bad' : undefined}>
              <strong>{number(failures.stillOpen)}</strong> failures were still open
            </li>
          </ul>
          <Panel title="Orders per day" id="days">
            {/* Drawn by us when the report was made, from figures alone. */}
            <div class="report-chart">{raw(report.chart)}</div>
            <Table label="Orders per day" columns={['Day', 'Orders', 'Captured']}>
              {figures.days.map(({ date, orders: count, captured }) => (
                <tr>
                  <th scope="row">{date}</th>
                  <td data-label="Orders" class="number">
                    {number(count)}
                  </td>
                  <td data-label="Captured" class="number">
                    {formatMoney(captured, currency)}
                  </td>
                </tr>
              ))}
            </Table>
          </Panel>
          <Panel title="In full" id="full">
            <Facts
              of={[
                ['Orders completed', number(orders.completed)],
                ['Orders cancelled', number(orders.cancelled)],
                ['Orders failed', number(orders.failed)],
                ['Orders still open', number(orders.open)],
                ['Refunded', formatMoney(money.refunded, currency)],
                ['Signups verified', number(signups.verified)],
                ['Signups subscribed', number(signups.subscribed)],
                ['Signups expired', number(signups.expired)],
                ['Failures opened', number(failures.opened)],
              ]}
            />
          </Panel>
        </>
      ),
    });
  });
}

const Row = ({ week, figures }: { week: string; figures: WeeklyFigures }) => {
  const { orders, money, signups, failures, currency } = figures;
  const cells: [string, string][] = [
    ['Orders', number(orders.accepted)],
    ['Completed', number(orders.completed)],
    ['Failed', number(orders.failed)],
    ['Captured', formatMoney(money.captured, currency)],
    ['Refunded', formatMoney(money.refunded, currency)],
    ['Signups', number(signups.started)],
    ['Failures opened', number(failures.opened)],
  ];
  return (
    <tr>
      <th scope="row">
        <a href={`/ops/reports/${week}`}>{week}</a>
      </th>
      {cells.map(([label, value]) => (
        <td data-label={label} class="number">
          {value}
        </td>
      ))}
    </tr>
  );
};
