import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { csrf } from 'hono/csrf';
import { html } from 'hono/html';
import { z } from 'zod';
import { SignInAttempts } from './attempts.ts';
import type { PageDependencies, PageEnv } from '../environment.ts';
import { BareLayout, type Flash } from '../kit/layout.tsx';
import { closeSession, findSession, isOwnForm, openSession, SESSION_LIFETIME } from './sessions.ts';

const COOKIE = 'holdfast_session';
const SIGN_IN = '/ops/sign-in';

/** Where to go after signing in. Only our own pages: no open redirect. A header cannot hold control characters. */
const nextSchema = z.string().regex(/^\/ops(\/|\?|$)[^\\\p{Cc}]*$/u).catch('/ops');

/** Adds sign-in and sign-out. Everything added after it requires a session. */
export function guard(app: Hono<PageEnv>, { db, identify, publicUrl }: PageDependencies): void {
  const attempts = new SignInAttempts();
  const origin = new URL(publicUrl).origin;
  const cookie = { path: '/ops', httpOnly: true, sameSite: 'Strict', secure: origin.startsWith('https:') } as const;

  // Behind a proxy that ends TLS our own address looks like http, so the public origin is allowed too.
  app.use(csrf({ origin: (from, c) => from === origin || from === new URL(c.req.url).origin }));

  app.get('/sign-in', (c) => signInPage(c, nextSchema.parse(c.req.query('next'))));

  app.post('/sign-in', async (c) => {
    const body = await c.req.parseBody();
    const next = nextSchema.parse(body['next']);
    const address = getConnInfo(c).remote.address ?? 'unknown';
    if (!attempts.take(address)) {
      c.header('Retry-After', '60');
      return signInPage(c, next, 429, 'Too many attempts. Try again in a minute.');
    }
    const key = typeof body['key'] === 'string' ? body['key'].trim() : '';
    const caller = key === '' ? undefined : await identify(key);
    if (caller?.role !== 'operator') return signInPage(c, next, 401, 'That key is unknown, revoked, or has no operator role.');
    attempts.giveBack(address);
    setCookie(c, COOKIE, await openSession(db, caller), { ...cookie, maxAge: SESSION_LIFETIME });
    return c.redirect(next, 303);
  });

  app.use(
    createMiddleware<PageEnv>(async (c, next) => {
      const token = getCookie(c, COOKIE);
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

  app.post('/sign-out', async (c) => {
    await closeSession(db, c.var.session);
    deleteCookie(c, COOKIE, cookie);
    return c.redirect(SIGN_IN, 303);
  });
}

function signInPage(c: Context, next: string, status: 200 | 401 | 429 = 200, error?: string): Response | Promise<Response> {
  const flash: Flash | undefined = error === undefined ? undefined : { kind: 'error', message: error };
  const page = (
    <BareLayout title="Sign in" flash={flash}>
      <h1>Operations</h1>
      <form method="post" action={SIGN_IN} class="stack">
        <input type="hidden" name="next" value={next} />
        <label>
          Operator key
          <input name="key" type="password" required autocomplete="current-password" autofocus spellcheck={false} />
        </label>
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
      <p class="hint">
        Use a key with the role <code>operator</code>. Create one with <code>npm run ops -- keys create</code>. A session lasts
        12 hours, or until the key is revoked.
      </p>
    </BareLayout>
  );
  return c.html(html`<!doctype html>${page}`, status);
}

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
