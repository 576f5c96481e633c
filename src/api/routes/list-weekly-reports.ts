import { createRoute, z } from '@hono/zod-openapi';
import { listReports } from '../../queries/reports.ts';
import { reportSummarySchema, reportSummaryView } from '../../views/report.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { reportSummary } from '../examples/reports.ts';
import { json } from '../schemas/common.ts';

/** Two years. */
const MOST = 104;

const route = createRoute({
  method: 'get',
  path: '/v1/reports/weekly',
  tags: ['Reports'],
  summary: 'The weekly reports of the last two years, newest first',
  ...keyed('listWeeklyReports'),
  responses: {
    200: {
      description: 'Reports',
      content: json(z.strictObject({ data: z.array(reportSummarySchema) }), { reports: { data: [reportSummary] } }),
    },
    ...problems('unauthenticated', 'forbidden', ...COMMON),
  },
});

export const listWeeklyReports = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const reports = await listReports(db, MOST);
    return c.json({ data: reports.map(reportSummaryView) }, 200);
  });
