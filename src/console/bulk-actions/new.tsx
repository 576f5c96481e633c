import type { Hono } from 'hono';
import { z } from 'zod';
import { BULK_ACTION_TYPES, bulkActionRequestSchema, type BulkActionRequest } from '../../contracts/bulk-actions.ts';
import { actorOf } from '../../contracts/caller.ts';
import { id as idField } from '../../contracts/fields.ts';
import { failureFilterSchema } from '../../contracts/failure-filter.ts';
import { startBulkAction } from '../../operate/bulk-actions.ts';
import { planBulkAction } from '../../queries/bulk-action-plan.ts';
import type { PageContext, PageDependencies, PageEnv } from '../environment.ts';
import { number } from '../kit/format.tsx';
import { redirectWith, respond } from '../kit/respond.tsx';
import { describeIssues, readSearch } from '../kit/search.ts';
import { DryRun, TYPED_ABOVE, type Chosen } from './dry-run.tsx';
import { BULK_ACTIONS } from './words.ts';

const many = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** The filter travels through the form as JSON. `bulkActionRequestSchema` checks it. */
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('must be JSON');
    return z.NEVER;
  }
});

const startForm = z.object({
  action: z.enum(BULK_ACTION_TYPES),
  ids: many.optional(),
  failedAgainIn: z.string().optional(),
  filter: json.pipe(failureFilterSchema).optional(),
  reason: z.string(),
  ratePerSecond: z.coerce.number(),
  confirm: z.string().optional(),
});

/** The dry run of a bulk action, and its start. */
export function newBulkAction(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;

  app.get('/bulk-actions/new', async (c) => {
    const chosen = readChosen(c);
    if (typeof chosen !== 'string') return dryRun(c, chosen);
    const back = c.req.query('action') === 'restart' ? '/ops/orders?status=failed' : '/ops/failures';
    return redirectWith(c, back, 'error', chosen);
  });

  app.post('/bulk-actions', async (c) => {
    const form = startForm.safeParse(await c.req.parseBody({ all: true }));
    if (!form.success) return redirectWith(c, '/ops/failures', 'error', notStarted(`${describeIssues(form.error)}.`));
    const { confirm, reason, ratePerSecond, ...chosen } = form.data;
    const request = bulkActionRequestSchema.safeParse({ ...chosen, reason, ratePerSecond });
    if (!request.success) return dryRun(c, chosen, `${describeIssues(request.error)}.`);
    const { accepted } = await planBulkAction(db, request.data);
    if (accepted > TYPED_ABOVE && confirm?.trim() !== String(accepted)) {
      return dryRun(c, chosen, `type the count to confirm. It is ${number(accepted)} now.`);
    }
    const id = await startBulkAction(db, request.data, actorOf(c.var.caller));
    return redirectWith(c, `/ops/bulk-actions/${id}`, 'done', BULK_ACTIONS[chosen.action].started);
  });

  async function dryRun(c: PageContext, chosen: Chosen, problem?: string): Promise<Response> {
    const plan = await planBulkAction(db, requestFor(chosen));
    return respond(c, deps, {
      title: `Dry run: ${BULK_ACTIONS[chosen.action].title.toLowerCase()}`,
      section: '/ops/bulk-actions',
      hint: `Nothing has been done yet. This acts on ${BULK_ACTIONS[chosen.action].all} only.`,
      ...(problem ? { status: 422, flash: { kind: 'error', message: notStarted(problem) } } : {}),
      children: <DryRun chosen={chosen} plan={plan} session={c.var.session} />,
    });
  }
}

const notStarted = (problem: string): string => `Nothing was started: ${problem}`;

const requestFor = (chosen: Chosen): BulkActionRequest => ({ ...chosen, reason: 'dry run', ratePerSecond: 1, dryRun: true });

/** @returns what was selected, or what is wrong with the selection */
function readChosen(c: PageContext): Chosen | string {
  const action = z.enum(BULK_ACTION_TYPES).safeParse(c.req.query('action'));
  if (!action.success) return 'Choose an action.';
  if (c.req.query('scope') === 'all') {
    const { meant, error } = readSearch(c.req.query(), failureFilterSchema);
    return error === undefined ? { action: action.data, filter: meant } : `The filter is not valid: ${error}.`;
  }
  const failedAgainIn = c.req.query('failedAgainIn');
  if (failedAgainIn !== undefined) {
    const earlier = idField.safeParse(failedAgainIn);
    return earlier.success ? { action: action.data, failedAgainIn: earlier.data } : 'The bulk action is not valid.';
  }
  const ids = c.req.queries('ids') ?? [];
  if (ids.length === 0) return 'Select at least one item.';
  const selected = z.array(idField).safeParse(ids);
  return selected.success ? { action: action.data, ids: selected.data } : 'The selection is not valid.';
}
