import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Api } from './environment.ts';

const { resolve } = createRequire(import.meta.url);

/** Only what the page needs is served. */
const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** Swagger UI sets styles inline and shows its icons from `data:`. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Holdfast API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="stylesheet" href="/docs/page.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** The viewer has dark colours, and leaves it to the page when to show them. */
const START = `const dark = matchMedia('(prefers-color-scheme: dark)');
const show = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', show);
show();
SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;

/** On a phone, what is too wide for it scrolls by itself, and long words break. */
const STYLES = `body { margin: 0; }
@media (max-width: 760px) {
  .swagger-ui .wrapper { padding: 0 10px; }
  .swagger-ui .info { margin: 20px 0; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; }
  .swagger-ui .opblock .opblock-summary-path, .swagger-ui code { overflow-wrap: anywhere; }
  .swagger-ui .scheme-container .schemes { flex-wrap: wrap; }
  .swagger-ui .opblock-body, .swagger-ui .table-container, .swagger-ui .responses-inner, .swagger-ui .models { overflow-x: auto; }
}
`;

/** Adds the page that shows the OpenAPI document. Its viewer comes from a package, so it works offline. */
export function serveDocs(api: Api): void {
  api.get('/docs', (c) => c.html(PAGE, 200, { 'Content-Security-Policy': POLICY }));
  api.get('/docs/start.js', (c) => c.body(START, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }));
  api.get('/docs/page.css', (c) => c.body(STYLES, 200, { 'Content-Type': 'text/css; charset=utf-8' }));
  for (const [file, type] of Object.entries(ASSETS)) {
    const content = cached(() => readFile(resolve(`swagger-ui-dist/${file}`)));
    api.get(`/docs/${file}`, async (c) =>
      c.body(Uint8Array.from(await content()), 200, { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' }),
    );
  }
}

/** Reads a file once, when it is first requested. */
function cached<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => (value ??= read());
}
