import { z } from '@hono/zod-openapi';
import { weeklyFiguresSchema } from '../contracts/report.ts';
import type { WeeklyReport } from '../queries/reports.ts';
import { time } from './common.ts';

const reportFields = {
  week: z.string().openapi({ description: 'ISO 8601 week', example: '2026-W47' }),
  timeZone: z.string(),
  startsAt: time,
  endsAt: time,
  figures: z.strictObject(weeklyFiguresSchema.shape).openapi('WeeklyFigures'),
  createdAt: time,
  links: z.strictObject({ self: z.string() }),
};

export const reportSummarySchema = z.strictObject(reportFields).openapi('WeeklyReportSummary');

export const reportSchema = z
  .strictObject({ ...reportFields, chart: z.string().openapi({ description: 'SVG' }) })
  .openapi('WeeklyReport');

/** @returns a weekly report as a list shows it */
export const reportSummaryView = (report: WeeklyReport): z.infer<typeof reportSummarySchema> => ({
  week: report.week,
  timeZone: report.timeZone,
  startsAt: report.startsAt.toISOString(),
  endsAt: report.endsAt.toISOString(),
  figures: report.figures,
  createdAt: report.createdAt.toISOString(),
  links: { self: `/v1/reports/weekly/${report.week}` },
});

/** @returns a weekly report with its chart */
export const reportView = (report: WeeklyReport): z.infer<typeof reportSchema> => ({
  ...reportSummaryView(report),
  chart: report.chart,
});
