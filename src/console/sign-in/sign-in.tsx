import type { Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { csrf } from 'hono/csrf';
import { html } from 'hono/html';
import { z } from 'zod';
import { ROLES_OF } from '../../contracts/caller.ts';
import { admitByRole } from '../access.ts';
import type { PageContext, PageDependencies, PageEnv } from '../environment.ts';
import { BareLayout, type Flash } from '../kit/layout.tsx';
import { redirectWith, respond, takeFlash } from '../kit/respond.tsx';
import { closeSession, findSession, isOwnForm, openSession, SESSION_COOKIE, SESSION_LIFETIME } from './sessions.ts';

/** Where browsers send the session: to these pages, and to the codec that Temporal's Web UI asks (`api/codec.ts`). */
const PATHS = ['/ops', '/codec'];
const SIGN_IN = '/ops/sign-in';

/** Where to go after signing in. Only our own pages: no open redirect. A header cannot hold control characters. */
const nextSchema = z.string().regex(/^\/ops(\/|\?|$)[^\\\p{Cc}]*$/u).catch('/ops');

/** Adds sign-in and sign-out. Everything added after it requires a session, and a role that it is for. */
export function guard(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db, identify, countFailedSignIn, clientAddress, publicUrl, log } = deps;
  const origin = new URL(publicUrl).origin;

  // Behind a proxy that ends TLS our own address looks like http, so the public origin is allowed too.
  app.use(csrf({ origin: (from, c) => from === origin || from === new URL(c.req.url).origin }));

  app.get('/sign-in', (c) => signInPage(c, { next: nextSchema.parse(c.req.query('next')), flash: takeFlash(c) }));

  app.post('/sign-in', async (c) => {
    const body = await c.req.parseBody();
    const next = nextSchema.parse(body['next']);
    const key = typeof body['key'] === 'string' ? body['key'].trim() : '';
    const caller = key === '' ? undefined : await identify(key);
    if (!caller || !ROLES_OF.staff.some((role) => role === caller.role)) {
      const refused = (status: 401 | 429, message: string) => signInPage(c, { next, flash: { kind: 'error', message } }, status);
      log.warn({ requestId: c.var.requestId, address: clientAddress(c) }, 'sign-in refused');
      // A right key is always accepted: otherwise anyone at the same address could lock others out.
      const tooMany = await countFailedSignIn(c);
      if (!tooMany) return refused(401, 'That key is unknown, revoked or expired, or is a customer’s.');
      for (const [name, value] of Object.entries(tooMany)) c.header(name, value);
      return refused(429, 'Too many wrong keys. Try again in a minute.');
    }
    const token = await openSession(db, caller, key);
    for (const path of PATHS) setCookie(c, SESSION_COOKIE, token, { ...c.var.cookie, path, maxAge: SESSION_LIFETIME });
    return c.redirect(next, 303);
  });

  app.use(
    createMiddleware<PageEnv>(async (c, next) => {
      const token = getCookie(c, SESSION_COOKIE);
      const session = token === undefined ? undefined : await findSession(db, token);
      if (!session) {
        const { pathname, search } = new URL(c.req.url);
        // Any other answer makes the browser reconnect for as long as the page is open.
        if (pathname.endsWith('/live')) return c.body(null, 204);
        const wanted = c.req.method === 'GET' ? `${pathname}${search}` : '/ops';
        return c.redirect(wanted === '/ops' ? SIGN_IN : `${SIGN_IN}?next=${encodeURIComponent(wanted)}`, 303);
      }
      c.set('session', session);
      c.set('caller', session.caller);
      if (c.req.method === 'POST' && !isOwnForm(session, (await c.req.parseBody({ all: true }))['csrf'])) {
        return c.html(html`<!doctype html>${REFUSED_FORM}`, 403);
      }
      await next();
    }),
  );

  app.use(admitByRole((c) => refuseRole(c, deps)));

  app.post('/sign-out', async (c) => {
    await closeSession(db, c.var.session);
    for (const path of PATHS) deleteCookie(c, SESSION_COOKIE, { ...c.var.cookie, path });
    return redirectWith(c, SIGN_IN, 'done', 'You are signed out.');
  });
}

function signInPage(
  c: Context,
  { next, flash }: { next: string; flash: Flash | undefined },
  status: 200 | 401 | 429 = 200,
): Response | Promise<Response> {
  const page = (
    <BareLayout title="Sign in" flash={flash}>
      <h1>Operations</h1>
      <form method="post" action={SIGN_IN} class="stack">
        <input type="hidden" name="next" value={next} />
        <label>
          Your key
          <input name="key" type="password" required autocomplete="current-password" autofocus spellcheck={false} />
        </label>
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
      <p class="hint">
        Use a key with the role <code>support</code> or <code>operator</code>. Create one with{' '}
        <code>npm run ops -- keys create</code>. A session lasts 12 hours, or until the key expires or is revoked.
      </p>
    </BareLayout>
  );
  return c.html(html`<!doctype html>${page}`, status);
}

/** Answers somebody whose role is not enough. */
const refuseRole = (c: PageContext, deps: PageDependencies): Promise<Response> =>
  respond(c, deps, {
    title: 'Not allowed',
    section: '/ops',
    status: 403,
    children: (
      <>
        <p>
          This is not for the role <strong>{c.var.caller.role}</strong>, which your key “{c.var.session.name}” has. Nothing was done. Ask
          an operator.
        </p>
        <p>
          <a href="/ops">Go to the overview</a>
        </p>
      </>
    ),
  });

/** Shown for a form that did not come from this session, or came from another site. */
export const REFUSED_FORM = (
  <BareLayout title="Form refused">
    <h1>Nothing was done</h1>
    <p>The form is not from this session. Go back, reload the page, and try again.</p>
    <p>
      <a href="/ops">Go to the overview</a>
    </p>
  </BareLayout>
);
