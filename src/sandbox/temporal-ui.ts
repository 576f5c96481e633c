import { Hono } from 'hono';
import { proxy } from 'hono/proxy';
import { z } from 'zod';
import type { Stoppable } from './shutdown.ts';
import { serveHttp } from './simulators/http.ts';

export interface TemporalUiOptions {
  port: number;
  /** Where the development server serves the Web UI. */
  upstream: string;
  /** Where a person signs in who sees encrypted payloads. */
  signIn: string;
  /** Names that it answers as, see `hosts.ts`. */
  allowedHosts: readonly string[];
}

/** What the Web UI asks its server for when it opens. */
const settingsSchema = z.looseObject({ Codec: z.looseObject({}) });

/**
 * Serves the development server's Web UI on another port, and tells it to send the operator's session along when it asks the
 * codec: the development server has no flag for that, as production's Web UI has (`TEMPORAL_CODEC_INCLUDE_CREDENTIALS`).
 * @throws the error of `listen` (`EADDRINUSE`, …)
 */
export async function serveTemporalUi({ port, upstream, signIn, allowedHosts }: TemporalUiOptions): Promise<Stoppable> {
  const codec = { IncludeCredentials: true, DefaultErrorMessage: 'To see payloads in clear text, sign in at the operator’s page:', DefaultErrorLink: signIn };
  const app = new Hono();
  const forward = (raw: Request) => {
    const { pathname, search } = new URL(raw.url);
    // Without the signal of the request: a browser that leaves would be reported as an error, in the terminal of `npm start`.
    return proxy(`${upstream}${pathname}${search}`, { raw, redirect: 'manual', signal: null });
  };
  app.get('/api/v1/settings', async (c) => {
    const { Codec, ...settings } = settingsSchema.parse(await (await forward(c.req.raw)).json());
    return c.json({ ...settings, Codec: { ...Codec, ...codec } });
  });
  app.all('*', (c) => forward(c.req.raw));
  app.onError((_error, c) => c.text('The Web UI does not answer.', 502));
  const { close } = await serveHttp(app, port, allowedHosts);
  return { stop: close };
}
