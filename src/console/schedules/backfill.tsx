import type { Hono } from 'hono';
import { backfillInput, backfillSchedule, planBackfill } from '../../operate/schedules.ts';
import type { BackfillTimes } from '../../temporal/schedules.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { postAction } from '../kit/actions.ts';
import { absolute, plural, Time, words } from '../kit/format.tsx';
import { Csrf, Field, Reason } from '../kit/forms.tsx';
import { redirectWith, respond } from '../kit/respond.tsx';
import { describeIssues, toInstant } from '../kit/search.ts';
import { scheduleRoute } from './route.ts';

/** How many times of a backfill are listed. The rest is a count. */
const LISTED = 20;

/** The dry run of a backfill, and its start. */
export function backfillPage(app: Hono<PageEnv>, deps: PageDependencies): void {
  app.get('/schedules/:id/backfill', async (c) => {
    const id = c.req.param('id');
    const { from = '', to = '' } = c.req.query();
    const span = backfillInput.safeParse({ from: toInstant(from), to: toInstant(to), reason: 'dry run' });
    if (!span.success) {
      return redirectWith(c, scheduleRoute.back(id), 'error', `Nothing was done: ${describeIssues(span.error)}.`);
    }
    const between = { from: new Date(span.data.from), to: new Date(span.data.to) };
    const plan = await planBackfill(deps, id, between);
    return respond(c, deps, {
      title: `Dry run: backfill ${words(id)}`,
      section: '/ops/schedules',
      hint: 'Nothing has been done yet.',
      children: (
        <>
          <p>
            From {absolute(between.from)} to {absolute(between.to)} UTC: <strong>{runsOf(plan)}</strong> will be
            started, each as if it were then.
          </p>
          {plan.times.length === 0 ? (
            <p>
              Nothing to do. <a href="/ops/schedules">Back to the schedules</a>
            </p>
          ) : (
            <>
              <Times of={plan} />
              <StartForm to={c.req.path} span={span.data} runs={runsOf(plan)} session={c.var.session} />
            </>
          )}
        </>
      ),
    });
  });

  postAction(app, deps, '/schedules/:id/backfill', backfillSchedule, scheduleRoute);
}

/** @returns e.g. `3 runs` */
const runsOf = ({ times, more }: BackfillTimes): string => `${more ? 'more than ' : ''}${plural(times.length, 'run')}`;

const Times = ({ of: { times, more } }: { of: BackfillTimes }) => (
  <ul>
    {times.slice(0, LISTED).map((time) => (
      <li>
        <Time at={time} exact />
      </li>
    ))}
    {times.length > LISTED ? <li>and {more ? 'more than ' : ''}{plural(times.length - LISTED, 'more', 'more')}</li> : null}
  </ul>
);

const StartForm = (props: { to: string; span: { from: string; to: string }; runs: string; session: Session }) => (
  <form method="post" action={props.to} class="panel stack">
    <Csrf session={props.session} />
    <input type="hidden" name="from" value={props.span.from} />
    <input type="hidden" name="to" value={props.span.to} />
    <Reason />
    <button type="submit" class="primary">
      Start {props.runs}
    </button>
  </form>
);

/** Leads to the dry run. */
export const BackfillForm = ({ to }: { to: string }) => (
  <details class="action">
    <summary>{backfillSchedule.label}…</summary>
    <form method="get" action={to}>
      <p>{backfillSchedule.about}</p>
      <Field label="From (UTC)" name="from" type="datetime-local" required />
      <Field label="To (UTC)" name="to" type="datetime-local" required />
      <button type="submit" class="primary">
        Dry-run the backfill
      </button>
    </form>
  </details>
);
