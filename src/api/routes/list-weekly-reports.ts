import { createRoute, z } from '@hono/zod-openapi';
import { desc } from 'drizzle-orm';
import { weeklyReports } from '../../db/schema.ts';
import { allow, STAFF } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { json } from '../schemas/common.ts';
import { reportSummary, reportSummarySchema } from '../views/report.ts';

/** Two years: enough to look back on at once. */
const MOST = 104;

const route = createRoute({
  method: 'get',
  path: '/v1/reports/weekly',
  tags: ['Reports'],
  summary: 'The weekly reports of the last two years, the newest first',
  ...allow(STAFF),
  responses: {
    200: { description: 'Reports', content: json(z.strictObject({ data: z.array(reportSummarySchema) })) },
    ...problems('unauthenticated', 'forbidden', ...COMMON),
  },
});

export const listWeeklyReports = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const rows = await db.select().from(weeklyReports).orderBy(desc(weeklyReports.week)).limit(MOST);
    return c.json({ data: rows.map(reportSummary) }, 200);
  });
