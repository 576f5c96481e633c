import type { Command } from 'commander';
import { formatMoney } from '../contracts/money.ts';
import type { WeeklyFigures } from '../contracts/report.ts';
import { listReports, readReport, type WeeklyReport } from '../queries/reports.ts';
import { reportSummaryView, reportView } from '../views/report.ts';
import { connected } from './connections.ts';
import { jsonOption, limitOption } from './options.ts';
import { facts, print, table, type OutputOptions } from './output.ts';

/** `ops reports`: the weekly figures. */
export function addReports(program: Command): void {
  const reports = program.command('reports').description('Weekly reports.');

  reports
    .command('list')
    .description('Lists the weekly reports, newest first.')
    .addOption(limitOption(12))
    .addOption(jsonOption())
    .action((options: OutputOptions & { limit: number }) =>
      connected(async ({ db }) => {
        const found = await listReports(db, options.limit);
        print(options, { data: found.map(reportSummaryView) }, () => listText(found));
      }),
    );

  reports
    .command('show')
    .description('Shows one weekly report.')
    .argument('<week>', 'ISO 8601, e.g. 2026-W47')
    .option('--svg', 'print its chart')
    .addOption(jsonOption())
    .action((week: string, options: OutputOptions & { svg?: boolean }) =>
      connected(async ({ db }) => {
        const report = await readReport(db, week);
        print(options, reportView(report), () => (options.svg ? report.chart : showText(report)));
      }),
    );
}

const taken = ({ currency, money: { captured, refunded } }: WeeklyFigures) => formatMoney(captured - refunded, currency);

const listText = (reports: WeeklyReport[]): string =>
  table(
    ['week', 'orders', 'completed', 'cancelled', 'failed', 'taken', 'signups', 'failures'],
    reports.map(({ week, figures }) => [
      week,
      figures.orders.accepted,
      figures.orders.completed,
      figures.orders.cancelled,
      figures.orders.failed,
      taken(figures),
      figures.signups.started,
      figures.failures.opened,
    ]),
    'No reports yet.',
  );

function showText({ week, timeZone, startsAt, endsAt, figures }: WeeklyReport): string {
  const { orders, money, signups, failures, currency, days } = figures;
  return [
    facts({
      week: `${week} (${timeZone})`,
      from: startsAt,
      to: endsAt,
      orders: `${orders.accepted} accepted, ${orders.completed} completed, ${orders.cancelled} cancelled, ${orders.failed} failed, ${orders.open} open`,
      money: `${formatMoney(money.captured, currency)} captured, ${formatMoney(money.refunded, currency)} refunded`,
      signups: `${signups.started} started, ${signups.verified} verified, ${signups.subscribed} subscribed, ${signups.expired} expired`,
      failures: `${failures.opened} opened, ${failures.stillOpen} still open`,
    }),
    '',
    table(
      ['day', 'orders', 'captured'],
      days.map((day) => [day.date, day.orders, formatMoney(day.captured, currency)]),
      '',
    ),
  ].join('\n');
}
