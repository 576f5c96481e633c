import { createRoute, z } from '@hono/zod-openapi';
import { eq } from 'drizzle-orm';
import { accepts } from 'hono/accepts';
import { weeklyReports } from '../../db/schema.ts';
import { notFound } from '../../intake/errors.ts';
import { allow, STAFF } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { reportSchema, reportSummary } from '../views/report.ts';

const SVG = 'image/svg+xml';

const route = createRoute({
  method: 'get',
  path: '/v1/reports/weekly/{week}',
  tags: ['Reports'],
  summary: 'The report of one week',
  description: `\`Accept: ${SVG}\` gives the chart itself.`,
  ...allow(STAFF),
  request: { params: z.object({ week: z.string().openapi({ example: '2026-W47' }) }) },
  responses: {
    200: {
      description: 'The report',
      content: { 'application/json': { schema: reportSchema }, [SVG]: { schema: z.string() } },
    },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getWeeklyReport = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const [row] = await db.select().from(weeklyReports).where(eq(weeklyReports.week, c.req.valid('param').week));
    if (!row) throw notFound('report');
    const type = accepts(c, {
      header: 'Accept',
      supports: ['application/json', SVG],
      default: 'application/json',
    });
    c.header('Vary', 'Accept');
    if (type === SVG) return c.body(row.chart, 200, { 'Content-Type': SVG });
    return c.json({ ...reportSummary(row), chart: row.chart }, 200);
  });
