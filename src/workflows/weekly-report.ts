import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { WeeklyReportInput, WeeklyReportResult } from '../contracts/messages.ts';
import { SCHEDULED_START_TIME } from '../contracts/names.ts';
import { announcing, report } from './activities.ts';

/**
 * Reports on the week before the run was *scheduled*, not before it ran, so that a late run or a backfill reports on the
 * right week.
 */
export async function weeklyReport({ timeZone }: WeeklyReportInput): Promise<WeeklyReportResult> {
  const { startTime, typedSearchAttributes } = workflowInfo();
  const scheduledAt = typedSearchAttributes.get(SCHEDULED_START_TIME) ?? startTime;
  const { week } = await report.compileWeeklyReport({ scheduledAt: scheduledAt.toISOString(), timeZone });
  setCurrentDetails(`The report of **${week}** is written.`);
  await announcing.sendWeeklyReport(week);
  return { week };
}
