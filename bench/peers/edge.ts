import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { requireRole } from '../../src/api/auth.ts';
import type { Api, ApiEnv } from '../../src/api/environment.ts';
import { respondWithProblem, toProblem } from '../../src/api/errors.ts';
import { KeyRing } from '../../src/api/key-ring.ts';
import { NO_RATE_LIMITS } from '../../src/api/rate-limits.ts';
import { requestLog } from '../../src/api/request-log.ts';
import { json, jsonBody } from '../../src/api/schemas/common.ts';
import { listen } from '../../src/api/server.ts';
import { refuseInvalid } from '../../src/api/validation.ts';
import { ROLES_OF } from '../../src/contracts/caller.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { createLogger } from '../../src/log.ts';

/** The edge that the APIs of the peers share with Holdfast: its server, validation, key check and request log. */
export function createEdge(name: string, databaseUrl: string): { api: Api; serve: (port: number) => Promise<void> } {
  const log = createLogger(name, 'info');
  const keys = new KeyRing(connectDatabase(databaseUrl, { max: 2, name: `${name}-api-keys` }).db);
  const api = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });
  api.use(requestId({ limitLength: 128 }));
  api.use(requestLog(log));
  api.use(async (c, next) => {
    c.set('keys', keys);
    c.set('limits', NO_RATE_LIMITS);
    await next();
  });
  api.onError((error, c) => {
    log.error({ error }, 'request failed');
    return respondWithProblem(c, toProblem(error));
  });
  api.get('/livez', (c) => c.text('ok'));
  return {
    api,
    async serve(port) {
      const { url } = await listen(api, { host: '127.0.0.1', port });
      log.info({ url }, 'listening');
      process.once('SIGTERM', () => process.exit());
    },
  };
}

const accepted = { description: 'Accepted', content: json(z.object({ id: z.uuid(), status: z.string() }), {}) };

/** @returns the route of a request that is accepted with 202, and the id under which it is to be found */
export const acceptingRoute = <Path extends string, Body extends z.ZodObject>(path: Path, body: Body) =>
  createRoute({
    method: 'post',
    path,
    middleware: requireRole(ROLES_OF.anyKey),
    request: { body: jsonBody(body, {}) },
    responses: { 202: accepted },
  });
