import { createRoute, z } from '@hono/zod-openapi';
import { actorOf } from '../../../intake/caller.ts';
import type { Instruction } from '../../../intake/failure-actions.ts';
import { pauseSchedule as pause, resumeSchedule as resume, runSchedule as run } from '../../../ops/schedule-actions.ts';
import { callTemporal } from '../../../ops/temporal.ts';
import { allow, OPERATORS } from '../../auth.ts';
import type { Api, Dependencies } from '../../environment.ts';
import { problems, WITH_BODY } from '../../errors.ts';
import { json, jsonBody, reasonBody } from '../../schemas/common.ts';
import { scheduleParams } from '../../schemas/schedule.ts';

const acceptedSchema = z.strictObject({ scheduleId: z.string() }).openapi('ScheduleAction');

/** What is done to a schedule with nothing but a reason differs in one word. */
const operation = (verb: 'pause' | 'resume' | 'run', summary: string, deed: typeof pause) => {
  const route = createRoute({
    method: 'post',
    path: `/v1/ops/schedules/{id}/${verb}`,
    tags: ['Operations'],
    summary,
    ...allow(OPERATORS),
    request: { params: scheduleParams, body: jsonBody(reasonBody) },
    responses: {
      202: { description: 'Done', content: json(acceptedSchema) },
      ...problems('unauthenticated', 'forbidden', 'not_found', 'temporal_unavailable', ...WITH_BODY),
    },
  });
  return (api: Api, { db, temporal: client, timeZone }: Dependencies) =>
    api.openapi(route, async (c) => {
      const { id } = c.req.valid('param');
      const instruction: Instruction = { actor: actorOf(c.var.caller), reason: c.req.valid('json').reason };
      await callTemporal(client, async () => await deed({ db, client, timeZone }, id, instruction));
      return c.json({ scheduleId: id }, 202);
    });
};

export const pauseSchedule = operation('pause', 'Have a schedule start nothing, until it is resumed; the reason becomes its note', pause);
export const resumeSchedule = operation('resume', 'Have a schedule start runs again; the reason becomes its note', resume);
export const runSchedule = operation('run', 'Start a run of a schedule now', run);
