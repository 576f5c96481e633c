import { Hono } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { RequestError } from '../contracts/request-error.ts';
import { isTemporalUnavailable } from '../temporal/availability.ts';
import { serveAssets } from './assets.ts';
import { auditList } from './audit/list.tsx';
import { booksPage } from './books/books.tsx';
import { bulkActionList } from './bulk-actions/list.tsx';
import { newBulkAction } from './bulk-actions/new.tsx';
import { bulkActionPage } from './bulk-actions/one.tsx';
import type { PageDependencies, PageEnv } from './environment.ts';
import { findPage } from './find/find.tsx';
import { failureList } from './failures/list.tsx';
import { failurePage } from './failures/one.tsx';
import { BareLayout } from './kit/layout.tsx';
import { redirectWith, respond } from './kit/respond.tsx';
import { orderList } from './orders/list.tsx';
import { orderPage } from './orders/one.tsx';
import { overviewPage } from './overview/overview.tsx';
import { reportList } from './reports/list.tsx';
import { reportPage } from './reports/one.tsx';
import { backfillPage } from './schedules/backfill.tsx';
import { scheduleList } from './schedules/list.tsx';
import { guard, REFUSED_FORM } from './sign-in/sign-in.tsx';
import { signupList } from './signups/list.tsx';
import { signupPage } from './signups/one.tsx';

/** In this order: `/bulk-actions/new` comes before `/bulk-actions/:id`. */
const PAGES: ((app: Hono<PageEnv>, deps: PageDependencies) => void)[] = [
  overviewPage,
  failureList,
  failurePage,
  orderList,
  orderPage,
  signupList,
  signupPage,
  bulkActionList,
  newBulkAction,
  bulkActionPage,
  booksPage,
  scheduleList,
  backfillPage,
  reportList,
  reportPage,
  auditList,
  findPage,
];

/** Only our own origin, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Creates the operator's page, to be mounted at `/ops`. */
export function createPages(deps: PageDependencies): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  const cookie = { path: '/ops', httpOnly: true, sameSite: 'Strict', secure: deps.publicUrl.startsWith('https:') } as const;
  app.use(async (c, next) => {
    c.set('cookie', cookie);
    await next();
    c.header('Content-Security-Policy', POLICY);
    // With `no-referrer`, browsers send forms without their origin, and we would refuse them.
    c.header('Referrer-Policy', 'same-origin');
  });
  serveAssets(app);
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  guard(app, deps);
  for (const addPage of PAGES) addPage(app, deps);

  app.all('*', (c) => respond(c, deps, { title: 'Page not found', section: '/ops', status: 404 }));
  app.onError((error, c) => {
    if (error instanceof RequestError && error.type === 'not_found') {
      return respond(c, deps, { title: error.message, section: '/ops', status: 404 });
    }
    if (isTemporalUnavailable(error) && c.req.method === 'POST') {
      return redirectWith(c, '/ops', 'error', 'Temporal did not answer. Check the current state before you repeat this.');
    }
    if (error instanceof HTTPException && error.status === 403) return c.html(html`<!doctype html>${REFUSED_FORM}`, 403);
    const { status, title, detail, headers } = deps.report(error, c.var.requestId);
    // Postgres may be the part that is unavailable, so this page does not use it.
    const page = (
      <BareLayout title={title}>
        <h1>{title}</h1>
        <p>{detail}</p>
        <p class="hint">
          Request <code>{c.var.requestId}</code>
        </p>
        <p>
          <a href="/ops">Go to the overview</a>
        </p>
      </BareLayout>
    );
    return c.html(html`<!doctype html>${page}`, status, headers);
  });
  return app;
}
