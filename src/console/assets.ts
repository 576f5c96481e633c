import { readFileSync } from 'node:fs';
import type { Hono } from 'hono';
import type { PageEnv } from './environment.ts';

const TYPES = {
  'ops.css': 'text/css; charset=utf-8',
  'ops.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Serves the styles, script and icon. Browsers revalidate them, so a deploy shows at once. */
export function serveAssets(app: Hono<PageEnv>): void {
  for (const [file, type] of Object.entries(TYPES)) {
    const content = Uint8Array.from(readFileSync(new URL(`./assets/${file}`, import.meta.url)));
    app.get(`/assets/${file}`, (c) => c.body(content, 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' }));
  }
}
