import { Option, type Command } from 'commander';
import { backfillInput, backfillSchedule, pauseSchedule, planBackfill, resumeSchedule, runSchedule } from '../operate/schedules.ts';
import { callTemporal } from '../temporal/availability.ts';
import { listSchedules, type ScheduleState } from '../temporal/schedules.ts';
import { backfillPlanView, scheduleView } from '../views/schedule.ts';
import { addAction, type ActionOptions } from './action.ts';
import { confirm } from './confirm.ts';
import { connected, type Connections } from './connections.ts';
import { RefusedError } from './exit.ts';
import { dryRunOption, instructionOf, jsonOption, parseTime, withInstruction, yesOption } from './options.ts';
import { print, red, table, timeText, type OutputOptions } from './output.ts';

interface BackfillOptions extends ActionOptions {
  from: string;
  to: string;
  dryRun?: boolean;
}

const load = (_connections: Connections, scheduleId: string) => Promise.resolve({ scheduleId });

/** `ops schedules`: what starts by itself, and when. */
export function addSchedules(program: Command): void {
  const schedules = program.command('schedules').description('What starts on a schedule.');

  schedules
    .command('list')
    .description('Lists the schedules, their next runs, and where they differ from their declaration.')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ temporal, timeZone, links }) => {
        const all = await callTemporal(temporal, () => listSchedules(temporal, timeZone));
        print(options, { data: all.map((schedule) => scheduleView(schedule, links)) }, () => listText(all));
      }),
    );

  for (const [verb, action] of [
    ['pause', pauseSchedule],
    ['resume', resumeSchedule],
    ['run', runSchedule],
  ] as const) {
    addAction(schedules, { verb, action, load, argument: 'schedule' });
  }

  withInstruction(schedules.command('backfill').description(backfillSchedule.about).argument('<schedule>'))
    .addOption(new Option('--from <time>', 'ISO 8601').argParser(parseTime).makeOptionMandatory())
    .addOption(new Option('--to <time>', 'ISO 8601').argParser(parseTime).makeOptionMandatory())
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((scheduleId: string, options: BackfillOptions) =>
      connected((connections) => backfill(connections, scheduleId, options)),
    );
}

async function backfill(connections: Connections, scheduleId: string, options: BackfillOptions): Promise<void> {
  const { dryRun, from, to } = options;
  const { reason, actor } = dryRun ? { reason: 'dry run', actor: options.actor } : instructionOf(options);
  const given = backfillInput.parse({ reason, from, to });
  const planned = await planBackfill(connections, scheduleId, { from: new Date(from), to: new Date(to) });
  const plan = backfillPlanView(scheduleId, planned);
  const { times, more } = planned;
  const runs = `${more ? 'more than ' : ''}${times.length} runs`;
  const text = () => `${runs}: ${times.map(timeText).join(', ')}${more ? ', …' : ''}`;
  if (dryRun) return print(options, plan, text);
  if (times.length === 0) throw new RefusedError('The schedule has no runs in that span.');
  if (!options.json) console.error(text());
  await confirm(`Start ${runs} of ${scheduleId}`, options, times.length);
  await backfillSchedule.perform(connections, scheduleId, given, actor);
  print(options, plan, () => `${scheduleId}: ${backfillSchedule.done}`);
}

function listText(all: ScheduleState[]): string {
  const rows = all.map(({ scheduleId, paused, note, nextRuns, lastRuns }) => [
    scheduleId,
    paused ? 'paused' : 'active',
    nextRuns[0],
    lastRuns.at(-1)?.takenAt,
    note,
  ]);
  const drifted = all.filter(({ drift }) => drift.length > 0);
  return [
    ...drifted.map(({ scheduleId, drift }) => red(`! ${scheduleId} differs from its declaration: ${drift.join(', ')}`)),
    table(['schedule', 'state', 'next run', 'last run', 'note'], rows, 'No schedules.'),
  ].join('\n');
}
