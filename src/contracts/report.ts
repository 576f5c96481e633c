import { z } from 'zod';

/** What a weekly report counts. Amounts are minor units of `currency`. Stored in `weekly_reports.figures`. */
export const weeklyFiguresSchema = z.strictObject({
  currency: z.string(),
  orders: z.strictObject({
    accepted: z.int(),
    completed: z.int(),
    cancelled: z.int(),
    failed: z.int(),
    open: z.int(),
  }),
  money: z.strictObject({ captured: z.int(), refunded: z.int() }),
  signups: z.strictObject({ started: z.int(), verified: z.int(), subscribed: z.int(), expired: z.int() }),
  failures: z.strictObject({ opened: z.int(), stillOpen: z.int() }),
  days: z.array(z.strictObject({ date: z.iso.date(), orders: z.int(), captured: z.int() })),
});

export type WeeklyFigures = z.infer<typeof weeklyFiguresSchema>;
