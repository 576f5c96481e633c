import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { backfillSchedule, pauseSchedule, planBackfill, resumeSchedule, runSchedule } from '../schedule-actions.ts';
import { listSchedules, type ScheduleState } from '../schedules.ts';
import { askTemporal, callTemporal } from '../temporal.ts';
import type { PageDependencies, PageEnv, Session } from './environment.ts';
import { absolute, plural, Time, words } from './format.tsx';
import { ActionForm, Field, Reason } from './forms.tsx';
import { Empty, Facts, PageHead, Panel } from './layout.tsx';
import { describeIssues, perform, reasonField, reasonForm, redirectWith, respond } from './respond.tsx';
import { Status } from './status.tsx';

const BACK = '/ops/schedules';
/** So many times are listed of a backfill; the count tells the rest. */
const LISTED = 20;

/** Forms give minutes without a zone; the pages speak UTC. */
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'is not a time')
  .transform((text) => new Date(`${text}:00Z`))
  .refine((time) => !Number.isNaN(time.getTime()), 'is not a time');
const spanSchema = z
  .object({ from: instant, to: instant })
  .refine(({ from, to }) => from < to, { error: 'the end comes before the beginning', path: ['to'] });
const backfillForm = z.object({ from: z.iso.datetime(), to: z.iso.datetime(), reason: reasonField });

/** The schedules: what is to come, what differs from the declaration, and what can be done about each. */
export function schedulePages(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { db, temporal, timeZone } = deps;
  const tools = { db, client: temporal, timeZone };

  app.get('/schedules', async (c) => {
    const schedules = await askTemporal(temporal, () => listSchedules(temporal, timeZone));
    return respond(c, deps, {
      title: 'Schedules',
      section: '/ops/schedules',
      children: (
        <>
          <PageHead title="Schedules">
            <p class="hint">Declared in the time zone {timeZone}; the times below are UTC.</p>
          </PageHead>
          {schedules.temporal === 'unavailable' ? (
            <Empty>Temporal does not answer, and keeps the schedules.</Empty>
          ) : (
            schedules.answer.map((schedule) => <Schedule schedule={schedule} session={c.var.session} />)
          )}
        </>
      ),
    });
  });

  app.post('/schedules/:id/pause', (c) =>
    perform(c, reasonForm, BACK, async ({ reason }, instruct) => {
      await callTemporal(temporal, () => pauseSchedule(tools, c.req.param('id'), instruct(reason)));
      return 'It is paused: it starts no runs until it is resumed.';
    }),
  );

  app.post('/schedules/:id/resume', (c) =>
    perform(c, reasonForm, BACK, async ({ reason }, instruct) => {
      await callTemporal(temporal, () => resumeSchedule(tools, c.req.param('id'), instruct(reason)));
      return 'It is resumed. What it missed is not made up: a backfill does that.';
    }),
  );

  app.post('/schedules/:id/run', (c) =>
    perform(c, reasonForm, BACK, async ({ reason }, instruct) => {
      await callTemporal(temporal, () => runSchedule(tools, c.req.param('id'), instruct(reason)));
      return 'A run is started.';
    }),
  );

  app.get('/schedules/:id/backfill', (c) => planPage(c, c.req.param('id')));

  app.post('/schedules/:id/backfill', (c) =>
    perform(c, backfillForm, BACK, async ({ from, to, reason }, instruct) => {
      const span = { from: new Date(from), to: new Date(to) };
      await callTemporal(temporal, () => backfillSchedule(tools, c.req.param('id'), span, instruct(reason)));
      return 'The backfill is started.';
    }),
  );

  async function planPage(c: Context<PageEnv>, id: string): Promise<Response> {
    const span = spanSchema.safeParse(c.req.query());
    if (!span.success) {
      return redirectWith(c, BACK, { kind: 'error', message: `Nothing was done: ${describeIssues(span.error)}.` });
    }
    const { from, to } = span.data;
    const times = await callTemporal(temporal, () => planBackfill(tools, id, { from, to }));
    return respond(c, deps, {
      title: 'Backfill',
      section: '/ops/schedules',
      children: (
        <>
          <PageHead title={`Dry run: backfill ${words(id)}`}>
            <p class="hint">Nothing has been done yet.</p>
          </PageHead>
          <p>
            From {absolute(from)} to {absolute(to)} UTC, <strong>{plural(times.length, 'run')}</strong> would be started, each
            as if it were then.
          </p>
          {times.length === 0 ? (
            <p>
              There is nothing to begin. <a href={BACK}>Back to the schedules</a>
            </p>
          ) : (
            <>
              <ul>
                {times.slice(0, LISTED).map((time) => (
                  <li>
                    <Time at={time} exact />
                  </li>
                ))}
                {times.length > LISTED ? <li>and {plural(times.length - LISTED, 'more', 'more')}</li> : null}
              </ul>
              <form method="post" action={`${BACK}/${id}/backfill`} class="panel stack">
                <input type="hidden" name="csrf" value={c.var.session.csrf} />
                <input type="hidden" name="from" value={from.toISOString()} />
                <input type="hidden" name="to" value={to.toISOString()} />
                <Reason />
                <button type="submit" class="primary">
                  Start {plural(times.length, 'run')}
                </button>
              </form>
            </>
          )}
        </>
      ),
    });
  }
}

const Schedule = ({ schedule, session }: { schedule: ScheduleState; session: Session }) => {
  const { scheduleId, workflowType, paused, note, nextRuns, lastRuns, drift } = schedule;
  const missing = drift.includes('missing');
  const to = (action: string) => `${BACK}/${scheduleId}/${action}`;
  const [next] = nextRuns;
  const last = lastRuns.at(-1);
  return (
    <Panel title={words(scheduleId).replaceAll('-', ' ')} id={scheduleId} note={<Status of={paused ? 'paused' : missing ? 'failing' : 'running'} />}>
      {drift.length > 0 ? (
        <p class="alarm">
          <span aria-hidden="true">✕</span>{' '}
          {missing
            ? 'Temporal does not have it. A worker of the operations queue declares it when it starts.'
            : `It differs from the declaration in: ${drift.join(', ')}. A worker of the operations queue mends that when it starts.`}
        </p>
      ) : null}
      <Facts
        of={[
          ['Starts', <code>{workflowType}</code>],
          ['Next run', next && !paused ? <Time at={next} /> : 'none'],
          [
            'After that',
            paused || nextRuns.length < 2 ? 'none' : nextRuns.slice(1, 4).map((time) => <div><Time at={time} exact /></div>),
          ],
          ['Last run', last ? <Time at={last.takenAt} /> : 'none yet'],
          ...(note ? [noteFact(note)] : []),
        ]}
      />
      {missing ? null : (
        <div class="actions" role="group" aria-label={`Actions on ${scheduleId}`}>
          <ActionForm session={session} action={to(paused ? 'resume' : 'pause')} verb={paused ? 'Resume' : 'Pause'} />
          <ActionForm session={session} action={to('run')} verb="Run now" about="Starts a run, also while it is paused." />
          <details class="action">
            <summary>Backfill…</summary>
            <form method="get" action={to('backfill')}>
              <p>Starts the runs that would have been started in a span. The next page says which.</p>
              <Field label="From (UTC)" name="from" type="datetime-local" required />
              <Field label="To (UTC)" name="to" type="datetime-local" required />
              <button type="submit" class="primary">
                Dry-run the backfill
              </button>
            </form>
          </details>
        </div>
      )}
    </Panel>
  );
};

const noteFact = (note: string): [string, string] => ['Note', note];
