import { createRoute, z } from '@hono/zod-openapi';
import { accepts } from 'hono/accepts';
import { readReport } from '../../queries/reports.ts';
import { reportSchema, reportView } from '../../views/report.ts';
import { keyed } from '../auth.ts';
import type { Api, Dependencies } from '../environment.ts';
import { COMMON, problems } from '../errors.ts';
import { chart, report as reportExample, WEEK } from '../examples/reports.ts';
import { examplesOf, json } from '../schemas/common.ts';
import { header } from '../schemas/header.ts';

const SVG = 'image/svg+xml';

const route = createRoute({
  method: 'get',
  path: '/v1/reports/weekly/{week}',
  tags: ['Reports'],
  summary: 'The report of one week',
  description: `\`Accept: ${SVG}\` returns only the chart.`,
  ...keyed('getWeeklyReport'),
  request: { params: z.object({ week: z.string().regex(/^\d{4}-W\d{2}$/).openapi({ description: 'ISO 8601 week', example: WEEK }) }) },
  responses: {
    200: {
      description: 'The report',
      headers: { Vary: header('`Accept`') },
      content: { ...json(reportSchema, { week: reportExample }), [SVG]: { schema: z.string(), examples: examplesOf({ chart }) } },
    },
    ...problems('unauthenticated', 'forbidden', 'not_found', ...COMMON),
  },
});

export const getWeeklyReport = (api: Api, { db }: Dependencies) =>
  api.openapi(route, async (c) => {
    const report = await readReport(db, c.req.valid('param').week);
    const type = accepts(c, {
      header: 'Accept',
      supports: ['application/json', SVG],
      default: 'application/json',
    });
    c.header('Vary', 'Accept');
    if (type === SVG) return c.body(report.chart, 200, { 'Content-Type': SVG });
    return c.json(reportView(report), 200);
  });
