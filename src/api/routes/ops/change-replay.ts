import { createRoute } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import { changeReplay } from '../../../intake/replays.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { idParams, json, jsonBody, reasonBody } from '../../schemas/common.ts';
import { loadReplay, replaySchema } from '../../views/replay.ts';

/** The three ways to change a bulk replay differ in one word. */
const operation = (verb: 'pause' | 'resume' | 'cancel', state: 'paused' | 'running' | 'cancelled', summary: string) => {
  const route = createRoute({
    method: 'post',
    path: `/v1/ops/replays/{id}/${verb}`,
    tags: ['Operations'],
    summary,
    ...allow(OPERATORS),
    request: { params: idParams, body: jsonBody(reasonBody) },
    responses: {
      202: { description: 'Taken', content: json(replaySchema) },
      ...problems('unauthenticated', 'forbidden', 'not_found', 'replay_not_running', ...WITH_BODY),
    },
  });
  return (api: Api, { db, links }: Dependencies) =>
    api.openapi(route, async (c) => {
      const { id } = c.req.valid('param');
      await changeReplay(db, id, state, { actor: actorOf(c.var.caller), reason: c.req.valid('json').reason });
      return c.json(await loadReplay(db, links, id), 202);
    });
};

export const pauseReplay = operation('pause', 'paused', 'Have a bulk replay wait; what it has asked for goes on');
export const resumeReplay = operation('resume', 'running', 'Have a bulk replay go on');
export const cancelReplay = operation('cancel', 'cancelled', 'End a bulk replay; what it has asked for goes on');
