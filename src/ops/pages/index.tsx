import { Hono } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { IntakeError } from '../../intake/errors.ts';
import { isTemporalUnavailable } from '../../intake/temporal-availability.ts';
import { serveAssets } from './assets.ts';
import { auditPages } from './audit.tsx';
import type { PageDependencies, PageEnv } from './environment.ts';
import { failurePages } from './failures/index.tsx';
import { BareLayout, PageHead } from './layout.tsx';
import { orderPages } from './orders/index.tsx';
import { overviewPage } from './overview.tsx';
import { replayPages } from './replays/index.tsx';
import { reportPages } from './reports.tsx';
import { redirectWith, respond } from './respond.tsx';
import { schedulePages } from './schedules.tsx';
import { guard, REFUSED_FORM } from './sign-in.tsx';
import { signupPages } from './signups.tsx';

/** Everything comes from our own origin, and nothing is written inline. */
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

/** Puts the operator's page together. It is meant to be mounted at `/ops`. */
export function createPages(deps: PageDependencies): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  app.use(async (c, next) => {
    await next();
    c.header('Content-Security-Policy', POLICY);
    // With `no-referrer` a browser sends its forms without their origin, and they would be refused.
    c.header('Referrer-Policy', 'same-origin');
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
  });
  serveAssets(app);
  guard(app, deps);

  overviewPage(app, deps);
  failurePages(app, deps);
  orderPages(app, deps);
  signupPages(app, deps);
  replayPages(app, deps);
  schedulePages(app, deps);
  reportPages(app, deps);
  auditPages(app, deps);

  const missing = { title: 'Not found', section: '/ops', status: 404 } as const;
  app.all('*', (c) => respond(c, deps, { ...missing, children: <PageHead title="There is nothing at this address" /> }));
  app.onError((error, c) => {
    if (error instanceof IntakeError && error.type === 'not_found') {
      return respond(c, deps, { ...missing, children: <PageHead title={error.message} /> });
    }
    if (isTemporalUnavailable(error) && c.req.method === 'POST') {
      const message = 'Nothing was done: Temporal does not answer. Try again when it is back.';
      return redirectWith(c, '/ops', { kind: 'error', message });
    }
    if (error instanceof HTTPException && error.status === 403) return c.html(html`<!doctype html>${REFUSED_FORM}`, 403);
    const { status, title, detail } = deps.report(error, c.var.requestId);
    // The database may be what is away: this page needs none.
    const page = (
      <BareLayout title={title}>
        <h1>{title}</h1>
        <p>{detail}</p>
        <p class="hint">
          Request <code>{c.var.requestId}</code>
        </p>
        <p>
          <a href="/ops">To the overview</a>
        </p>
      </BareLayout>
    );
    return c.html(html`<!doctype html>${page}`, status);
  });
  return app;
}
