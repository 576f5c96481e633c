import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { requestDuration } from '../metrics/requests.ts';
import type { ApiEnv } from './environment.ts';

/** Counts and times each request by the route that answered it. */
export const requestMetrics = createMiddleware<ApiEnv>(async (c, next) => {
  const started = performance.now();
  await next();
  const route = routePath(c, -1);
  requestDuration.observe({ method: c.req.method, route, status: c.res.status }, (performance.now() - started) / 1_000);
});
