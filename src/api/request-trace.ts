import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { describeSpan, inSpan } from '../tracing/spans.ts';
import type { ApiEnv } from './environment.ts';

/** Traces each request by the route that answered it, never by its path. Continues the trace of a caller that has one. */
export const requestTrace = createMiddleware<ApiEnv>(async (c, next) => {
  const { method } = c.req;
  await inSpan({ name: method, kind: 'server', parent: c.req.header('traceparent'), beginsTrace: true }, async () => {
    await next();
    const route = routePath(c, -1);
    const { status } = c.res;
    describeSpan({
      name: `${method} ${route}`,
      attributes: { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status, 'holdfast.request': c.var.requestId },
      failed: status >= 500,
    });
  });
});
