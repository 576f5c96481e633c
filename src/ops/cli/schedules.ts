import { Option, type Command } from 'commander';
import {
  backfillSchedule,
  pauseSchedule,
  planBackfill,
  resumeSchedule,
  runSchedule,
  type ScheduleTools,
} from '../schedule-actions.ts';
import { listSchedules, type ScheduleState } from '../schedules.ts';
import { callTemporal } from '../temporal.ts';
import { confirm } from './confirm.ts';
import { connected, type Connections } from './connections.ts';
import { RefusedError, UsageError } from './exit.ts';
import {
  dryRunOption,
  instructionOf,
  jsonOption,
  parseTime,
  withInstruction,
  yesOption,
  type InstructionOptions,
} from './options.ts';
import { print, red, table, timeText, type OutputOptions } from './output.ts';

/** `ops schedules`: what starts by itself, and when. */
export function addSchedules(program: Command): void {
  const schedules = program.command('schedules').description('what starts by itself, and when');

  schedules
    .command('list')
    .description('show the schedules, their next runs, and where they differ from their declaration')
    .addOption(jsonOption())
    .action((options: OutputOptions) =>
      connected(async ({ config, temporal }) => {
        const all = await callTemporal(temporal, () => listSchedules(temporal, config.SHOP_TIME_ZONE));
        print(options, { data: all.map(({ note = null, ...schedule }) => ({ ...schedule, note })) }, () => listText(all));
      }),
    );

  acts(schedules, 'pause', 'start no runs, until it is resumed', pauseSchedule, 'is paused');
  acts(schedules, 'resume', 'start runs again; what was missed is not made up', resumeSchedule, 'runs again');
  acts(schedules, 'run', 'start a run now', runSchedule, 'has started a run');

  withInstruction(
    schedules.command('backfill').description('start the runs of a time that has passed').argument('<schedule>'),
  )
    .addOption(new Option('--from <time>', 'ISO 8601').argParser(parseTime).makeOptionMandatory())
    .addOption(new Option('--to <time>', 'ISO 8601').argParser(parseTime).makeOptionMandatory())
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((scheduleId: string, options: BackfillOptions) =>
      connected((connections) => backfill(toolsOf(connections), scheduleId, options)),
    );
}

interface BackfillOptions extends InstructionOptions, OutputOptions {
  from: string;
  to: string;
  dryRun?: boolean;
  yes?: boolean;
}

const toolsOf = ({ config, db, temporal: client }: Connections): ScheduleTools => ({
  db,
  client,
  timeZone: config.SHOP_TIME_ZONE,
});

function acts(schedules: Command, verb: string, description: string, act: typeof pauseSchedule, done: string): void {
  withInstruction(schedules.command(verb).description(description).argument('<schedule>'))
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((scheduleId: string, options: InstructionOptions & OutputOptions & { yes?: boolean }) =>
      connected(async (connections) => {
        const instruction = instructionOf(options);
        await confirm(`${verb} the schedule ${scheduleId}`, options);
        await act(toolsOf(connections), scheduleId, instruction);
        print(options, { scheduleId, done: verb }, () => `${scheduleId} ${done}.`);
      }),
    );
}

async function backfill(tools: ScheduleTools, scheduleId: string, options: BackfillOptions): Promise<void> {
  const span = { from: new Date(options.from), to: new Date(options.to) };
  if (span.from >= span.to) throw new UsageError('--from must be before --to.');
  const runs = await planBackfill(tools, scheduleId, span);
  const text = () => `${runs.length} runs: ${runs.map(timeText).join(', ')}`;
  if (options.dryRun) return print(options, { dryRun: true, scheduleId, runs }, text);
  if (runs.length === 0) throw new RefusedError('The schedule has no runs in that time.');
  const instruction = instructionOf(options);
  if (!options.json) console.error(text());
  await confirm(`Start ${runs.length} runs of ${scheduleId}`, options, runs.length);
  await backfillSchedule(tools, scheduleId, span, instruction);
  print(options, { scheduleId, runs }, () => `${scheduleId} has started ${runs.length} runs.`);
}

function listText(all: ScheduleState[]): string {
  const rows = all.map(({ scheduleId, paused, note, nextRuns, lastRuns }) => [
    scheduleId,
    paused ? 'paused' : 'on',
    nextRuns[0],
    lastRuns.at(-1)?.takenAt,
    note,
  ]);
  const drifted = all.filter(({ drift }) => drift.length > 0);
  return [
    ...drifted.map(({ scheduleId, drift }) => red(`! ${scheduleId} is not as declared: ${drift.join(', ')}`)),
    table(['schedule', 'state', 'next run', 'last run', 'note'], rows, 'There are no schedules.'),
  ].join('\n');
}
