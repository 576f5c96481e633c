import { desc, eq } from 'drizzle-orm';
import { notFound } from '../contracts/request-error.ts';
import { weeklyFiguresSchema, type WeeklyFigures } from '../contracts/report.ts';
import type { Database } from '../db/client.ts';
import { weeklyReports } from '../db/schema.ts';

/** A weekly report. `chart` is SVG. */
export interface WeeklyReport extends Omit<typeof weeklyReports.$inferSelect, 'figures'> {
  figures: WeeklyFigures;
}

const parse = (row: typeof weeklyReports.$inferSelect): WeeklyReport => ({
  ...row,
  figures: weeklyFiguresSchema.parse(row.figures),
});

/** @returns the newest weekly reports, newest first */
export async function listReports(db: Database, limit: number): Promise<WeeklyReport[]> {
  const rows = await db.select().from(weeklyReports).orderBy(desc(weeklyReports.startsAt)).limit(limit);
  return rows.map(parse);
}

/** @param week ISO 8601, e.g. `2026-W47` @throws RequestError `not_found` */
export async function readReport(db: Database, week: string): Promise<WeeklyReport> {
  const [row] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, week));
  if (!row) throw notFound('report');
  return parse(row);
}
