import { readFileSync } from 'node:fs';
import { Hono, type Context } from 'hono';
import { describeError } from '../../describe-error.ts';
import type { Api, ApiEnv, Dependencies } from '../environment.ts';
import { PROBLEMS, toProblem, type Problem } from '../errors.ts';
import { page } from './layout.tsx';
import { orderPage } from './order.tsx';
import { signupPage } from './signup.tsx';
import { wrongLink } from './wrong-link.ts';

/** Adds the pages at `/my`, where the links in customers' emails lead. Nobody signs in: a link is its own credential. */
export function mountCustomerPages(api: Api, deps: Dependencies): void {
  const { limits, log } = deps;
  const app = new Hono<ApiEnv>();
  const styles = Uint8Array.from(readFileSync(new URL('./assets/customer.css', import.meta.url)));
  app.get('/assets/customer.css', (c) => c.body(styles, 200, { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'no-cache' }));
  orderPage(app, deps);
  signupPage(app, deps);
  // Mail programs cut long links.
  app.all('*', () => {
    throw wrongLink();
  });

  app.onError(async (error, c) => {
    const problem = await limits.afterFailure(c, toProblem(error));
    for (const [name, value] of Object.entries(problem.headers)) c.header(name, value);
    const { status, title } = PROBLEMS[problem.type];
    if (status < 500) return refusal(c, problem);
    log[status === 503 ? 'warn' : 'error']({ requestId: c.var.requestId, ...describeError(error) }, title);
    const children = (
      <>
        <p>Please try again in a moment.</p>
        <p class="muted">Request {c.var.requestId}</p>
      </>
    );
    return page(c, { title: 'Something went wrong', children }, status === 503 ? 503 : 500);
  });
  api.route('/my', app);
}

/** Says no more than that the link is wrong, or that there were too many requests. */
function refusal(c: Context<ApiEnv>, { type }: Problem) {
  if (type === 'too_many_requests') return page(c, { title: 'Too many requests', children: <p>Please wait a minute.</p> }, 429);
  const children = <p>It may be incomplete, or too old. Copy the whole link from your latest email.</p>;
  return page(c, { title: 'This link does not work', children }, 404);
}
