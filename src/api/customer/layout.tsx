import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { HtmlDocument } from '../../html-document.tsx';
import type { ApiEnv } from '../environment.ts';

/** Nothing but our own styles, and forms that lead back to us. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/**
 * Answers with a page for a customer. Its address holds a credential: it is not stored, not indexed, and not told to the sites
 * that it links to.
 */
export function page(
  c: Context<ApiEnv>,
  { title, children }: { title: string; children: Child },
  status: 200 | 404 | 409 | 429 | 500 | 503 = 200,
): Response | Promise<Response> {
  const document = (
    <HtmlDocument title={title} styles="/my/assets/customer.css">
      <main>
        <h1>{title}</h1>
        {children}
        <footer>Holdfast</footer>
      </main>
    </HtmlDocument>
  );
  return c.html(html`<!doctype html>${document}`, status, {
    'Content-Security-Policy': POLICY,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  });
}
