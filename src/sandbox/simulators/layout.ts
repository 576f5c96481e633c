import { html, raw } from 'hono/html';

type Html = ReturnType<typeof html>;

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .25rem .6rem; border-bottom: 1px solid #ddd }
code, pre { font-size: 13px; overflow-wrap: anywhere; white-space: pre-wrap } label { margin-right: 1rem } input, select, button { font: inherit }
iframe { width: 100%; height: 32rem; border: 1px solid #ddd }`;

// Only the live element is replaced: input and scroll position elsewhere on the page stay.
const refreshScript = `
async function refresh() {
  const live = document.getElementById('live'), answer = await fetch(location.href).catch(() => undefined);
  if (!live || !answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live');
  if (fresh) live.replaceWith(document.adoptNode(fresh));
}
setInterval(refresh, 2000);`;

/** A complete page around `body`. The element with the id `live` is refreshed every two seconds. */
export function layout(title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(style)}
        </style>
        <script>
          ${raw(refreshScript)}
        </script>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
}
