import { OpenAPIHono } from '@hono/zod-openapi';
import type { Handler, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { ROLES_OF } from '../contracts/caller.ts';
import { describeError } from '../describe-error.ts';
import { requireRole } from './auth.ts';
import { CODEC_PATHS, serveCodec } from './codec.ts';
import { refuseControlCharacters } from './control-characters.ts';
import { serveDocs } from './docs.ts';
import { describeApi } from './document.ts';
import type { Api, ApiEnv, Dependencies } from './environment.ts';
import { Problem, PROBLEMS, respondWithProblem, toProblem } from './errors.ts';
import { mountPages } from './console.ts';
import { mountCustomerPages } from './customer/index.tsx';
import { refuseUnknownHosts } from './host-check.ts';
import { strictJson } from './json-body.ts';
import { requestLog } from './request-log.ts';
import { requestMetrics } from './request-metrics.ts';
import { requestTrace } from './request-trace.ts';
import { isTracing } from '../tracing/spans.ts';
import { OPERATIONS } from './routes/index.ts';
import { STRIPE_WEBHOOK_PATH } from './routes/receive-stripe-webhook.ts';
import { RememberingRouter } from './router.ts';
import { refuseInvalid } from './validation.ts';

/** @param kilobytes the largest body */
function limitBodyTo(kilobytes: number): MiddlewareHandler<ApiEnv> {
  const maxSize = kilobytes * 1024;
  const refuse = () => {
    throw new Problem('content_too_large', `The body is larger than ${kilobytes} kB.`);
  };
  const count = bodyLimit({ maxSize, onError: refuse });
  return (c, next) => {
    // Its length is not declared. Otherwise Node reads no more than that, and hono need not wrap the body in a web stream.
    if (c.req.header('Transfer-Encoding') !== undefined) return count(c, next);
    return Number(c.req.header('Content-Length') ?? 0) > maxSize ? refuse() : next();
  };
}

/** Thousands of ids make a large body, and so do the evidence in a dispute and the payloads of a run. */
const LARGE_BODIES = ['/v1/ops/bulk-actions', STRIPE_WEBHOOK_PATH, ...CODEC_PATHS];

/** Puts the API together. It does not listen: see `server.ts`. */
export function createApp(deps: Dependencies): Api {
  const api = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid, router: new RememberingRouter() });

  api.use(requestId({ limitLength: 128 }));
  if (isTracing()) api.use(requestTrace);
  api.use(requestLog(deps.log));
  api.use(requestMetrics);
  api.use(refuseUnknownHosts(deps.isKnownHost));
  api.use(refuseControlCharacters);
  api.use(strictJson);
  api.use(
    methodNotAllowed({
      app: api,
      onMethodNotAllowed: (c, methods) => {
        const problem = new Problem('method_not_allowed', `Allowed methods: ${methods.join(', ')}.`, {
          headers: { Allow: methods.join(', ') },
        });
        return respondWithProblem(c, problem);
      },
    }),
  );
  api.on('ALL', ['/v1/ops/replays/*', '/v1/ops/orders/:id/replay'], redirectRenamed);
  const limitBody = limitBodyTo(64);
  const limitLargeBody = limitBodyTo(512);
  api.use((c, next) => (LARGE_BODIES.includes(c.req.path) ? limitLargeBody(c, next) : limitBody(c, next)));
  api.use((c, next) => {
    c.set('keys', deps.keys);
    c.set('limits', deps.limits);
    return next();
  });
  // Before the routes, so that one that forgets its role is still closed.
  api.use('/v1/ops/*', requireRole(ROLES_OF.operators));

  for (const add of OPERATIONS) add(api, deps);

  const document = describeApi(api);
  api.get('/openapi.json', (c) => c.json(document));
  serveDocs(api);
  serveCodec(api, deps);
  mountPages(api, deps);
  mountCustomerPages(api, deps);

  api.notFound((c) => respondWithProblem(c, new Problem('not_found', 'Nothing at this address.')));
  api.onError(async (error, c) => {
    const problem = await deps.limits.afterFailure(c, toProblem(error));
    const { status } = PROBLEMS[problem.type];
    if (status >= 500) {
      const level = problem.type === 'internal' ? 'error' : 'warn';
      deps.log[level]({ requestId: c.var.requestId, ...describeError(error) }, PROBLEMS[problem.type].title);
    }
    return respondWithProblem(c, problem);
  });
  return api;
}

/** Earlier paths of bulk actions and restarts. 308 keeps method and body. */
const redirectRenamed: Handler = ({ req }) => {
  const { pathname, search } = new URL(req.url);
  const path = pathname.replace('/ops/replays', '/ops/bulk-actions').replace(/\/replay$/, '/restart');
  return new Response(null, { status: 308, headers: { Location: `${path}${search}` } });
};
