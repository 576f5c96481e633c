import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import { ROLES_OF, type Caller } from '../contracts/caller.ts';
import type { Role } from '../contracts/statuses.ts';
import type { PageContext, PageEnv } from './environment.ts';

/** Whom a route of the page is for: a group of roles, or everyone, signed in or not. */
type PageAudience = 'staff' | 'operators' | 'everyone';

/**
 * Whom each route of the page is for. The guard, the navigation and the forms follow from it, and a route that is not listed
 * here is closed. Support reads, and decides about one order at a time.
 */
export const PAGE_ACCESS: Record<string, PageAudience> = {
  'GET /ops/assets/ops.css': 'everyone',
  'GET /ops/assets/ops.js': 'everyone',
  'GET /ops/assets/icon.svg': 'everyone',
  'GET /ops/sign-in': 'everyone',
  'POST /ops/sign-in': 'everyone',
  'POST /ops/sign-out': 'staff',
  'GET /ops': 'staff',
  'GET /ops/live': 'staff',
  'GET /ops/find': 'staff',
  'GET /ops/failures': 'staff',
  'GET /ops/failures/live': 'staff',
  'GET /ops/failures.csv': 'operators',
  'GET /ops/failures/:id': 'staff',
  'GET /ops/failures/:id/live': 'staff',
  'POST /ops/failures/:id/retry': 'operators',
  'POST /ops/failures/:id/cancel': 'operators',
  'POST /ops/failures/:id/settle': 'operators',
  'POST /ops/failures/:id/fix': 'operators',
  'POST /ops/failures/:id/requeue': 'operators',
  'POST /ops/failures/:id/reset': 'operators',
  'GET /ops/orders': 'staff',
  'GET /ops/orders/live': 'staff',
  'GET /ops/orders.csv': 'operators',
  'GET /ops/orders/:id': 'staff',
  'GET /ops/orders/:id/live': 'staff',
  'POST /ops/orders/:id/approve': 'staff',
  'POST /ops/orders/:id/reject': 'staff',
  'POST /ops/orders/:id/cancel': 'staff',
  'POST /ops/orders/:id/restart': 'operators',
  'GET /ops/signups': 'staff',
  'GET /ops/signups/live': 'staff',
  'GET /ops/signups.csv': 'operators',
  'GET /ops/signups/:id': 'staff',
  'GET /ops/signups/:id/live': 'staff',
  'GET /ops/bulk-actions': 'operators',
  'GET /ops/bulk-actions/live': 'operators',
  'POST /ops/bulk-actions': 'operators',
  'GET /ops/bulk-actions/new': 'operators',
  'GET /ops/bulk-actions/:id': 'operators',
  'GET /ops/bulk-actions/:id/live': 'operators',
  'POST /ops/bulk-actions/:id/pause': 'operators',
  'POST /ops/bulk-actions/:id/resume': 'operators',
  'POST /ops/bulk-actions/:id/cancel': 'operators',
  'GET /ops/books': 'operators',
  'GET /ops/books/live': 'operators',
  'GET /ops/schedules': 'operators',
  'POST /ops/schedules/:id/pause': 'operators',
  'POST /ops/schedules/:id/resume': 'operators',
  'POST /ops/schedules/:id/run': 'operators',
  'GET /ops/schedules/:id/backfill': 'operators',
  'POST /ops/schedules/:id/backfill': 'operators',
  'GET /ops/reports': 'staff',
  'GET /ops/reports/:week': 'staff',
  'GET /ops/audit': 'operators',
  'GET /ops/audit/live': 'operators',
  'GET /ops/audit.csv': 'operators',
};

const admits = (audience: PageAudience | undefined, role: Role): boolean => {
  if (audience === undefined) return false;
  return audience === 'everyone' || ROLES_OF[audience].some((admitted) => admitted === role);
};

/** What each route matches: a path whose parameters have a value. */
const ROUTES = Object.entries(PAGE_ACCESS).map(([route, audience]) => ({
  pattern: new RegExp(`^${route.replaceAll('.', String.raw`\.`).replaceAll(/:\w+/g, '[^/]+')}$`),
  audience,
}));

/**
 * @param path e.g. `/ops/orders/<id>/cancel`
 * @returns whether a caller may use what is there. What they may not use is not shown
 */
export function mayUse({ role }: Pick<Caller, 'role'>, method: 'GET' | 'POST', path: string): boolean {
  const matching = ROUTES.filter(({ pattern }) => pattern.test(`${method} ${path}`));
  return matching.length > 0 && matching.every(({ audience }) => admits(audience, role));
}

/**
 * @param refuse answers a caller whose role is not enough
 * @returns the middleware that admits only whom `PAGE_ACCESS` names, by the routes that answer the request. Needs a caller
 */
export const admitByRole = (refuse: (c: PageContext) => Response | Promise<Response>) =>
  createMiddleware<PageEnv>(async (c, next) => {
    // Middleware and the page for what does not exist are for all methods.
    const routes = matchedRoutes(c).filter(({ method }) => method !== 'ALL');
    const isAdmitted = routes.every(({ method, path }) => admits(PAGE_ACCESS[`${method} ${path}`], c.var.caller.role));
    return isAdmitted ? await next() : await refuse(c);
  });
