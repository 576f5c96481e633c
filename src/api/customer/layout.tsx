import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
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
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/my/assets/customer.css" />
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          {children}
          <footer>Holdfast</footer>
        </main>
      </body>
    </html>
  );
  return c.html(html`<!doctype html>${document}`, status, {
    'Content-Security-Policy': POLICY,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  });
}
