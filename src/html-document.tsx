import type { Child } from 'hono/jsx';

/** A page for a browser: its head, and what is in its body. `icon`, `styles` and `script` are addresses. */
export const HtmlDocument = (props: { title: string; icon?: string; styles: string; script?: string; children: Child }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="robots" content="noindex" />
      <title>{props.title}</title>
      {/* Without one, browsers ask for /favicon.ico. */}
      <link rel="icon" href={props.icon ?? 'data:,'} />
      <link rel="stylesheet" href={props.styles} />
      {props.script === undefined ? null : <script src={props.script} defer></script>}
    </head>
    <body>{props.children}</body>
  </html>
);
