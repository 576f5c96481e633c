import type { Hono } from 'hono';
import { pauseSchedule, resumeSchedule, runSchedule } from '../../operate/schedules.ts';
import { askTemporal } from '../../temporal/availability.ts';
import { listSchedules, type ScheduleState } from '../../temporal/schedules.ts';
import type { PageDependencies, PageEnv, Session } from '../environment.ts';
import { postAction } from '../kit/actions.ts';
import { Time, words, Zone } from '../kit/format.tsx';
import { ActionBar, ActionForm } from '../kit/forms.tsx';
import { Alarm, Empty, Facts, Panel } from '../kit/layout.tsx';
import { respond } from '../kit/respond.tsx';
import { Status, type AnyStatus } from '../kit/status.tsx';
import { BackfillForm } from './backfill.tsx';
import { scheduleRoute } from './route.ts';

/** The schedules: their runs, how they differ from their definition, and what can be done. */
export function scheduleList(app: Hono<PageEnv>, deps: PageDependencies): void {
  const { temporal, timeZone } = deps;

  app.get('/schedules', async (c) => {
    const { answer } = await askTemporal(temporal, () => listSchedules(temporal, timeZone));
    return respond(c, deps, {
      title: 'Schedules',
      section: '/ops/schedules',
      hint: (
        <>
          Schedules use the time zone {timeZone}. <Zone />
        </>
      ),
      children: answer?.map((schedule) => <Schedule schedule={schedule} session={c.var.session} />) ?? (
        <Empty>Temporal is unavailable, so the schedules cannot be shown.</Empty>
      ),
    });
  });

  postAction(app, deps, '/schedules/:id/pause', pauseSchedule, scheduleRoute);
  postAction(app, deps, '/schedules/:id/resume', resumeSchedule, scheduleRoute);
  postAction(app, deps, '/schedules/:id/run', runSchedule, scheduleRoute);
}

function statusOf({ drift, paused }: ScheduleState): AnyStatus {
  if (drift.includes('missing')) return 'missing';
  return paused ? 'paused' : 'active';
}

const Schedule = ({ schedule, session }: { schedule: ScheduleState; session: Session }) => {
  const { scheduleId, workflowType, paused, note, nextRuns, lastRuns } = schedule;
  const status = statusOf(schedule);
  const [next, ...later] = paused ? [] : nextRuns;
  const last = lastRuns.at(-1);
  const to = (name: string) => `/ops/schedules/${scheduleId}/${name}`;
  return (
    <Panel title={words(scheduleId)} id={scheduleId} note={<Status of={status} />}>
      <Drift of={schedule.drift} />
      <Facts
        of={[
          ['Starts', <code>{workflowType}</code>],
          ['Next run', next ? <Time at={next} /> : 'none'],
          ['After that', later.length === 0 ? 'none' : later.slice(0, 3).map((time) => <div><Time at={time} exact /></div>)],
          ['Last run', last ? <Time at={last.takenAt} /> : 'none yet'],
          ['Note', note || null],
        ]}
      />
      {status === 'missing' ? null : (
        <ActionBar label={`Actions on ${words(scheduleId)}`}>
          {paused ? (
            <ActionForm session={session} action={resumeSchedule} to={to('resume')} />
          ) : (
            <ActionForm session={session} action={pauseSchedule} to={to('pause')} />
          )}
          <ActionForm session={session} action={runSchedule} to={to('run')} />
          <BackfillForm to={to('backfill')} />
        </ActionBar>
      )}
    </Panel>
  );
};

const Drift = ({ of: drift }: { of: string[] }) => {
  if (drift.length === 0) return null;
  return (
    <Alarm>
      {drift.includes('missing')
        ? 'Missing in Temporal. A worker of the operations queue creates it when it starts.'
        : `Differs from its definition: ${drift.join(', ')}. A worker of the operations queue corrects this when it starts.`}
    </Alarm>
  );
};
