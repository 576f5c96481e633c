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
    <title>Holdfast API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });\n`;

/** Adds the page that shows the OpenAPI document. Its viewer comes from a package, so it works offline. */
export function serveDocs(api: Api): void {
  api.get('/docs', (c) => c.html(PAGE, 200, { 'Content-Security-Policy': POLICY }));
  api.get('/docs/start.js', (c) => c.body(START, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }));
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
