import type { Hono } from 'hono';
import { raw } from 'hono/html';
import { formatMoney } from '../../contracts/money.ts';
import { readReport } from '../../queries/reports.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { number, Time, Zone } from '../kit/format.tsx';
import { Facts, Figures, Panel } from '../kit/layout.tsx';
import { respond } from '../kit/respond.tsx';
import { Table } from '../kit/table.tsx';

/** One weekly report: its figures and its chart. */
export function reportPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/reports/:week', async (c) => {
    const { week, startsAt, endsAt, timeZone, createdAt, chart, figures } = await readReport(deps.db, c.req.param('week'));
    const { orders, money, signups, failures, days, currency } = figures;
    return respond(c, deps, {
      title: `Week ${week}`,
      section: '/ops/reports',
      hint: (
        <>
          <Time at={startsAt} exact /> to <Time at={endsAt} exact />, by days in {timeZone}. Created{' '}
          <Time at={createdAt} exact />. <Zone />
        </>
      ),
      children: (
        <>
          <Figures
            of={[
              { value: orders.accepted, label: 'orders' },
              { value: formatMoney(money.captured, currency), label: 'captured' },
              { value: signups.started, label: 'signups' },
              { value: failures.stillOpen, label: 'failures still open', bad: failures.stillOpen > 0 },
            ]}
          />
          <Panel title="Orders per day" id="days">
            {/* Our own SVG, drawn from figures alone when the report was created. */}
            <div class="report-chart">{raw(chart)}</div>
            <Table
              label="Orders per day"
              columns={[
                { title: 'Day', cell: ({ date }) => date },
                { title: 'Orders', number: true, cell: (day) => number(day.orders) },
                { title: 'Captured', number: true, cell: ({ captured }) => formatMoney(captured, currency) },
              ]}
              rows={days}
            />
          </Panel>
          <Panel title="All figures" id="full">
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
