import { DateTime } from 'luxon';
import { and, count, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import { ApplicationFailure } from '@temporalio/common';
import type { WeeklyFigures } from '../contracts/report.ts';
import { FINAL_ORDER_STATUSES, LIVE_FAILURE_STATUSES, type OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { failures, orders, payments, products, refunds, signups, weeklyReports } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { renderWeekChart } from './report-chart.ts';

export type ReportActivities = ReturnType<typeof createReportActivities>;

/** An ISO 8601 week in a time zone. `endsAt` is exclusive. */
export interface Week {
  week: string;
  days: DateTime[];
  startsAt: Date;
  endsAt: Date;
}

/**
 * @param scheduledAt ISO 8601, when the report was scheduled
 * @returns the last week that had ended by then
 * @throws ApplicationFailure if the time zone or the time is not valid
 */
export function weekBefore(scheduledAt: string, timeZone: string): Week {
  const scheduled = DateTime.fromISO(scheduledAt, { zone: timeZone });
  if (!scheduled.isValid) throw ApplicationFailure.nonRetryable('Invalid time or time zone.', 'invalid_request');
  const end = scheduled.startOf('week');
  const start = end.minus({ weeks: 1 });
  return {
    week: start.toFormat("kkkk-'W'WW"),
    days: Array.from({ length: 7 }, (_, day) => start.plus({ days: day })),
    startsAt: start.toJSDate(),
    endsAt: end.toJSDate(),
  };
}

/** The weekly report: one row for each week, however often it is compiled. */
export function createReportActivities({ db }: { db: Database }) {
  return {
    async compileWeeklyReport(input: { scheduledAt: string; timeZone: string }): Promise<{ week: string }> {
      const week = weekBefore(input.scheduledAt, input.timeZone);
      // One snapshot, so that the figures agree with each other.
      const figures = await transaction(db, (tx) => collectFigures(tx, week, input.timeZone), {
        isolationLevel: 'repeatable read',
        accessMode: 'read only',
      });
      await db
        .insert(weeklyReports)
        .values({
          week: week.week,
          timeZone: input.timeZone,
          startsAt: week.startsAt,
          endsAt: week.endsAt,
          figures,
          chart: await renderWeekChart(week.week, figures),
        })
        .onConflictDoNothing();
      return { week: week.week };
    },
  };
}

type Reader = Pick<Database, 'select'>;

async function collectFigures(tx: Reader, { days, startsAt, endsAt }: Week, timeZone: string): Promise<WeeklyFigures> {
  const ordersOfWeek = and(gte(orders.createdAt, startsAt), lt(orders.createdAt, endsAt));
  const signupsOfWeek = and(gte(signups.createdAt, startsAt), lt(signups.createdAt, endsAt));
  const failuresOfWeek = and(gte(failures.firstSeenAt, startsAt), lt(failures.firstSeenAt, endsAt));

  const statuses = await tx
    .select({ status: orders.status, count: count() })
    .from(orders)
    .where(ordersOfWeek)
    .groupBy(orders.status);
  const having = (...wanted: readonly OrderStatus[]) =>
    statuses.filter(({ status }) => wanted.includes(status)).reduce((total, row) => total + row.count, 0);
  const accepted = statuses.reduce((total, row) => total + row.count, 0);

  const dayOf = (column: typeof orders.createdAt | typeof payments.capturedAt) =>
    sql<string>`to_char(${column} at time zone ${sql.raw(`'${timeZone.replaceAll("'", '')}'`)}, 'YYYY-MM-DD')`;
  const ordersByDay = await tx
    .select({ date: dayOf(orders.createdAt), count: count() })
    .from(orders)
    .where(ordersOfWeek)
    .groupBy(dayOf(orders.createdAt));
  // Sums may exceed `integer`. A double holds whole numbers up to 2^53.
  const capturedByDay = await tx
    .select({ date: dayOf(payments.capturedAt), amount: sql<number>`sum(${payments.captured})::float8` })
    .from(payments)
    .where(and(gte(payments.capturedAt, startsAt), lt(payments.capturedAt, endsAt)))
    .groupBy(dayOf(payments.capturedAt));

  const [refunded] = await tx
    .select({ amount: sql<number>`coalesce(sum(${refunds.amount}), 0)::float8` })
    .from(refunds)
    .where(and(eq(refunds.status, 'succeeded'), gte(refunds.createdAt, startsAt), lt(refunds.createdAt, endsAt)));
  const [people] = await tx
    .select({
      started: count(),
      verified: sql<number>`count(${signups.verifiedAt})::int`,
      subscribed: sql<number>`count(${signups.subscribedAt})::int`,
      expired: sql<number>`count(*) filter (where ${eq(signups.status, 'expired')})::int`,
    })
    .from(signups)
    .where(signupsOfWeek);
  const [broken] = await tx
    .select({
      opened: count(),
      stillOpen: sql<number>`count(*) filter (where ${inArray(failures.status, LIVE_FAILURE_STATUSES)})::int`,
    })
    .from(failures)
    .where(failuresOfWeek);
  const [product] = await tx.select({ currency: products.currency }).from(products).limit(1);

  return {
    currency: product?.currency ?? 'EUR',
    orders: {
      accepted,
      completed: having('completed'),
      cancelled: having('cancelled'),
      failed: having('failed'),
      open: accepted - having(...FINAL_ORDER_STATUSES),
    },
    money: {
      captured: capturedByDay.reduce((total, { amount }) => total + amount, 0),
      refunded: refunded?.amount ?? 0,
    },
    signups: people ?? { started: 0, verified: 0, subscribed: 0, expired: 0 },
    failures: broken ?? { opened: 0, stillOpen: 0 },
    days: days.map((day) => {
      const date = day.toFormat('yyyy-MM-dd');
      return {
        date,
        orders: ordersByDay.find((row) => row.date === date)?.count ?? 0,
        captured: capturedByDay.find((row) => row.date === date)?.amount ?? 0,
      };
    }),
  };
}
