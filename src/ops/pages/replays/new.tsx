import type { Context, Hono } from 'hono';
import { z } from 'zod';
import {
  failureFilterSchema,
  REPLAY_ACTIONS,
  replayRequestSchema,
  type FailureFilter,
  type ReplayRequest,
} from '../../../contracts/failures.ts';
import { formatMoney } from '../../../contracts/money.ts';
import { actorOf } from '../../../intake/caller.ts';
import { createReplay, planReplay, type ReplayPlan } from '../../../intake/replays.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { parseFilter } from '../filters.ts';
import { number, plural, shortId, words } from '../format.tsx';
import { Reason } from '../forms.tsx';
import { Facts, PageHead, Panel, Table, type Flash } from '../layout.tsx';
import { describeIssues, redirectWith, respond } from '../respond.tsx';
import { ACTION_WORDS } from './list.tsx';

/** Above so many, the count has to be typed: a slip of the hand must not move thousands of orders. */
const TYPED_ABOVE = 20;

const actionSchema = z.enum(REPLAY_ACTIONS);
const many = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value) => (value === undefined ? [] : [value].flat()));

const filterText = z.string().transform((text, context): FailureFilter => {
  try {
    return failureFilterSchema.parse(JSON.parse(text));
  } catch {
    context.addIssue('is not a filter');
    return z.NEVER;
  }
});

const createForm = z.object({
  action: actionSchema,
  ids: many,
  filter: filterText.optional(),
  reason: z.string(),
  ratePerSecond: z.coerce.number(),
  confirm: z.string().optional(),
});

type What = Pick<ReplayRequest, 'action' | 'filter' | 'ids'>;

/** The dry run of a bulk action, and its beginning. */
export function newReplay(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db } = deps;

  app.get('/replays/new', async (c) => {
    const action = actionSchema.safeParse(c.req.query('action'));
    const back = action.data === 'replay' ? '/ops/orders?status=failed' : '/ops/failures';
    const ids = c.req.queries('ids') ?? [];
    const everything = c.req.query('scope') === 'all';
    const parsed = parseFilter(c.req.query());
    const problem = !action.success
      ? 'Say what is to be done.'
      : everything
        ? parsed.error
        : ids.length === 0
          ? 'Select something first.'
          : z.array(z.uuid()).safeParse(ids).error && 'The selection is not valid.';
    if (problem || !action.success) return redirectWith(c, back, { kind: 'error', message: problem ?? 'Not valid.' });
    // The status of a failed order is no filter of failures.
    const { status, ...rest } = parsed.filter;
    const filter = status === undefined ? rest : { ...rest, status };
    const what: What = everything ? { action: action.data, filter } : { action: action.data, ids };
    return planPage(c, what);
  });

  app.post('/replays', async (c) => {
    const form = createForm.safeParse(await c.req.parseBody({ all: true }));
    if (!form.success) {
      const message = `Nothing was begun: ${describeIssues(form.error)}.`;
      return redirectWith(c, '/ops/failures', { kind: 'error', message });
    }
    const { action, ids, filter, reason, ratePerSecond, confirm } = form.data;
    const what: What = filter ? { action, filter } : { action, ids };
    const request = replayRequestSchema.safeParse({ ...what, reason, ratePerSecond });
    if (!request.success) {
      return planPage(c, what, { kind: 'error', message: `Nothing was begun: ${describeIssues(request.error)}.` });
    }
    const plan = await planReplay(db, request.data);
    if (plan.accepted > TYPED_ABOVE && confirm?.trim() !== String(plan.accepted)) {
      const message = `Nothing was begun: type the count. It is ${number(plan.accepted)} now.`;
      return planPage(c, what, { kind: 'error', message });
    }
    const id = await createReplay(db, request.data, { actor: actorOf(c.var.caller) });
    return redirectWith(c, `/ops/replays/${id}`, { kind: 'done', message: 'It has begun.' });
  });

  async function planPage(c: Context<PageEnv>, what: What, flash?: Flash): Promise<Response> {
    const plan = await planReplay(db, { ...what, reason: 'dry run', ratePerSecond: 1, dryRun: true });
    return respond(c, deps, {
      title: 'Dry run',
      section: '/ops/replays',
      ...(flash ? { flash, status: 422 } : {}),
      children: <Plan what={what} plan={plan} session={c.var.session} />,
    });
  }
}

const Plan = ({ what, plan, session }: { what: What; plan: ReplayPlan; session: Session }) => {
  const { matching, accepted, refused, sums, sample } = plan;
  const money = sums.map(({ amount, currency }) => formatMoney(amount, currency)).join(' + ');
  return (
    <>
      <PageHead title={`Dry run: ${ACTION_WORDS[what.action].toLowerCase()}`}>
        <p class="hint">
          Nothing has been done yet.
          {what.action === 'replay' ? '' : ' Of the failures, only parked steps can be acted on in bulk.'}
        </p>
      </PageHead>
      <ul class="figures">
        <li>
          <strong>{number(accepted)}</strong> would be acted on
        </li>
        <li>
          <strong>{money || 'none'}</strong> worth of orders
        </li>
        <li class={matching > accepted ? 'bad' : undefined}>
          <strong>{number(matching - accepted)}</strong> would be refused
        </li>
      </ul>
      {refused.length > 0 ? (
        <Panel title="Refused, and why" id="refused">
          <ul class="plain">
            {refused.map(({ reason, count }) => (
              <li>
                <strong>{number(count)}</strong> {reason}
              </li>
            ))}
          </ul>
        </Panel>
      ) : null}
      {accepted === 0 ? (
        <p>There is nothing to begin.</p>
      ) : (
        <form method="post" action="/ops/replays" class="panel stack">
          <input type="hidden" name="csrf" value={session.csrf} />
          <input type="hidden" name="action" value={what.action} />
          {what.filter ? <input type="hidden" name="filter" value={JSON.stringify(what.filter)} /> : null}
          {what.ids?.map((id) => (
            <input type="hidden" name="ids" value={id} />
          ))}
          <h2>Begin it</h2>
          <Reason />
          <label>
            At most so many a second
            <input name="ratePerSecond" type="number" value="20" min={1} max={200} required />
          </label>
          {accepted > TYPED_ABOVE ? (
            <label>
              Type {accepted} to go on
              <input name="confirm" required inputmode="numeric" pattern={String(accepted)} autocomplete="off" />
            </label>
          ) : null}
          <button type="submit" class={what.action === 'cancel' ? 'danger' : 'primary'}>
            {ACTION_VERBS[what.action]} {plural(accepted, 'order')}
          </button>
        </form>
      )}
      {sample.length > 0 ? (
        <Panel title={`The first ${sample.length}`} id="sample">
          <Table label="Sample of what would be acted on" columns={['Order', 'Amount', 'Would be']}>
            {sample.map(({ orderId, amount, currency, refusal }) => (
              <tr>
                <th scope="row">
                  <a href={`/ops/orders/${orderId}`}>order {shortId(orderId)}</a>
                </th>
                <td data-label="Amount" class="number">
                  {formatMoney(amount, currency)}
                </td>
                <td data-label="Would be">{refusal ? `refused: ${refusal}` : 'acted on'}</td>
              </tr>
            ))}
          </Table>
        </Panel>
      ) : null}
      <Panel title="Which" id="which">
        <Facts of={describeSelection(what)} />
      </Panel>
    </>
  );
};

const ACTION_VERBS = { retry: 'Retry', cancel: 'Cancel', replay: 'Replay' };

function describeSelection({ ids, filter }: What): [string, string][] {
  if (ids) return [['Selected', plural(ids.length, 'item')]];
  const said = Object.entries(filter ?? {});
  return said.length === 0 ? [['Filter', 'none: everything']] : said.map(([name, text]) => [words(name), String(text)]);
}
