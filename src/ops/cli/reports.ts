import type { Command } from 'commander';
import { desc, eq } from 'drizzle-orm';
import { formatMoney } from '../../contracts/money.ts';
import { weeklyFiguresSchema, type WeeklyFigures } from '../../contracts/report.ts';
import { weeklyReports } from '../../db/schema.ts';
import { notFound } from '../../intake/errors.ts';
import { connected } from './connections.ts';
import { jsonOption, limitOption } from './options.ts';
import { facts, print, table, type OutputOptions } from './output.ts';

/** `ops reports`: the weekly figures. */
export function addReports(program: Command): void {
  const reports = program.command('reports').description('weekly reports');

  reports
    .command('list')
    .description('show the weekly reports, the newest first')
    .addOption(limitOption(12))
    .addOption(jsonOption())
    .action((options: OutputOptions & { limit: number }) =>
      connected(async ({ db }) => {
        const found = await db.select().from(weeklyReports).orderBy(desc(weeklyReports.week)).limit(options.limit);
        const data = found.map(summaryView);
        print(options, { data }, () => listText(data));
      }),
    );

  reports
    .command('show')
    .description('show one weekly report')
    .argument('<week>', 'ISO 8601, e.g. 2026-W47')
    .option('--svg', 'print its chart')
    .addOption(jsonOption())
    .action((week: string, options: OutputOptions & { svg?: boolean }) =>
      connected(async ({ db }) => {
        const [report] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, week));
        if (!report) throw notFound('report');
        const view = { ...summaryView(report), chart: report.chart };
        print(options, view, () => (options.svg ? report.chart : showText(view)));
      }),
    );
}

const summaryView = ({ chart: _chart, figures, ...report }: typeof weeklyReports.$inferSelect) => ({
  ...report,
  figures: weeklyFiguresSchema.parse(figures),
});

type Summary = ReturnType<typeof summaryView>;

const taken = ({ currency, money: { captured, refunded } }: WeeklyFigures) => formatMoney(captured - refunded, currency);

const listText = (reports: Summary[]): string =>
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
    'There are no reports yet.',
  );

function showText({ week, timeZone, startsAt, endsAt, figures }: Summary): string {
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
