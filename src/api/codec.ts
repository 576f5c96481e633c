import { createRoute, z } from '@hono/zod-openapi';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { getCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { findSession, SESSION_COOKIE } from '../console/sign-in/sessions.ts';
import { ROLES_OF } from '../contracts/caller.ts';
import { UndecodablePayloadError } from '../temporal/payloads/codec.ts';
import { jsonOf, jsonPayloadSchema, payloadOf } from '../temporal/payloads/json.ts';
import { requireRole } from './auth.ts';
import type { Api, CallerEnv, Dependencies } from './environment.ts';
import { Problem } from './errors.ts';
import { json, jsonBody } from './schemas/common.ts';

/** The last part of a path is Temporal's. */
const WORK: Record<string, (codecs: PayloadCodec[], payloads: Payload[]) => Promise<Payload[]>> = {
  '/codec/encode': encode,
  '/codec/decode': decode,
};

/** Their bodies may be large. */
export const CODEC_PATHS = Object.keys(WORK);

const payloadsSchema = z.object({ payloads: z.array(jsonPayloadSchema) });

/**
 * Adds the codec that Temporal's Web UI and command line ask to show payloads in clear text. For operators only: with a key, or
 * from the Web UI with the session of the operator's page. Not part of the documented API: its protocol is Temporal's.
 * @see https://docs.temporal.io/production-deployment/data-encryption
 */
export function serveCodec(api: Api, { db, temporal, temporalUiUrl }: Dependencies): void {
  const { payloadCodecs } = temporal.options.loadedDataConverter;
  const origin = new URL(temporalUiUrl).origin;
  const allowHeaders = ['Authorization', 'Content-Type', 'X-Namespace'];
  api.use('/codec/*', cors({ origin, credentials: true, allowMethods: ['POST'], allowHeaders, maxAge: 600 }));

  for (const [path, work] of Object.entries(WORK)) {
    const route = createRoute({
      hide: true,
      method: 'post',
      path,
      middleware: operatorsOnly(db, origin),
      request: { body: jsonBody(payloadsSchema, {}) },
      responses: { 200: { description: 'The same payloads, encoded or decoded', content: json(payloadsSchema, {}) } },
    });
    api.openapi(route, async (c) => {
      const payloads = await work(payloadCodecs, c.req.valid('json').payloads.map(payloadOf)).catch(refuseUndecodable);
      return c.json({ payloads: payloads.map(jsonOf) }, 200, { 'Cache-Control': 'no-store' });
    });
  }
}

/**
 * Without a key, the session of the operator's page counts. Any page can make a browser send that cookie, so the request has
 * to come from the Web UI.
 * @param origin of the Web UI
 */
const operatorsOnly = (db: Dependencies['db'], origin: string) => {
  const requireKey = requireRole(ROLES_OF.operators);
  return createMiddleware<CallerEnv>(async (c, next) => {
    const token = getCookie(c, SESSION_COOKIE);
    if (c.req.header('Authorization') !== undefined || token === undefined) return await requireKey(c, next);
    if (c.req.header('Origin') !== origin) throw new Problem('forbidden', 'A session is for the Temporal Web UI only. Send a key instead.');
    const session = await findSession(db, token);
    if (!session) return await requireKey(c, next);
    if (session.caller.role !== 'operator') throw new Problem('forbidden', 'Payloads are for operators.');
    c.set('caller', session.caller);
    return await next();
  });
};

/** @throws Problem that names the key */
function refuseUndecodable(error: unknown): never {
  if (!(error instanceof UndecodablePayloadError)) throw error;
  throw new Problem('invalid_fields', error.message, { errors: [{ in: 'body', pointer: '/payloads', detail: error.message }] });
}
