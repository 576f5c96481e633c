import { z } from '@hono/zod-openapi';
import { weeklyFiguresSchema } from '../../contracts/report.ts';
import type { weeklyReports } from '../../db/schema.ts';
import { time } from '../schemas/common.ts';

export const reportSummarySchema = z
  .strictObject({
    week: z.string().openapi({ description: 'ISO 8601 week', example: '2026-W47' }),
    timeZone: z.string(),
    startsAt: time,
    endsAt: time,
    figures: z.strictObject(weeklyFiguresSchema.shape).openapi('WeeklyFigures'),
    createdAt: time,
    links: z.strictObject({ self: z.string() }),
  })
  .openapi('WeeklyReportSummary');

export const reportSchema = reportSummarySchema
  .extend({ chart: z.string().openapi({ description: 'SVG' }) })
  .openapi('WeeklyReport');

/** @returns a weekly report as a list shows it. */
export const reportSummary = (row: Omit<typeof weeklyReports.$inferSelect, 'chart'>) => ({
  week: row.week,
  timeZone: row.timeZone,
  startsAt: row.startsAt.toISOString(),
  endsAt: row.endsAt.toISOString(),
  figures: weeklyFiguresSchema.parse(row.figures),
  createdAt: row.createdAt.toISOString(),
  links: { self: `/v1/reports/weekly/${row.week}` },
});
