import type { z } from '@hono/zod-openapi';
import type { reportSchema, reportSummarySchema } from '../../views/report.ts';

export const WEEK = '2026-W47';

export const reportSummary: z.infer<typeof reportSummarySchema> = {
  week: WEEK,
  timeZone: 'Europe/Berlin',
  startsAt: '2026-11-15T23:00:00.000Z',
  endsAt: '2026-11-22T23:00:00.000Z',
  figures: {
    currency: 'EUR',
    orders: { accepted: 412, completed: 398, cancelled: 9, failed: 2, open: 3 },
    money: { captured: 1_516_160, refunded: 20_240 },
    signups: { started: 61, verified: 48, subscribed: 12, expired: 7 },
    failures: { opened: 14, stillOpen: 1 },
    days: [{ date: '2026-11-16', orders: 60, captured: 220_800 }],
  },
  createdAt: '2026-11-23T07:00:02.000Z',
  links: { self: `/v1/reports/weekly/${WEEK}` },
};

export const chart = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 240"/>';

export const report: z.infer<typeof reportSchema> = { ...reportSummary, chart };
