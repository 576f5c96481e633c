import type { Command, Option } from 'commander';
import type { BulkActionType } from '../contracts/bulk-actions.ts';
import type { OperatorAction } from '../operate/action.ts';
import type { ScheduleContext } from '../operate/schedules.ts';
import { runBulkAction, selectionOf, type BulkOptions } from './bulk.ts';
import { confirm } from './confirm.ts';
import { connected, type Connections } from './connections.ts';
import { UsageError } from './exit.ts';
import {
  dryRunOption,
  filterOf,
  idOf,
  idsOf,
  instructionOf,
  jsonOption,
  rateOption,
  watchOption,
  withFilter,
  withInstruction,
  yesOption,
  type FilterOptions,
  type InstructionOptions,
} from './options.ts';
import { print, type OutputOptions } from './output.ts';

export interface ActionOptions extends InstructionOptions, OutputOptions {
  yes?: boolean;
}

/** How an action looks on the command line. */
interface ActionCommand<Options extends ActionOptions> {
  verb: string;
  action: OperatorAction<ScheduleContext>;
  /** What `--json` prints afterwards: the answer of the API. */
  load: (connections: Connections, id: string) => Promise<object>;
  /** What the argument is; an id, unless given. */
  argument?: string;
  options?: Option[];
  /** @returns what the action takes besides the reason */
  inputOf?: (options: Options) => object;
}

/** Adds the command that performs an operator's action on one thing. */
export function addAction<Options extends ActionOptions>(parent: Command, definition: ActionCommand<Options>): void {
  const { verb, action, argument = 'id', options = [] } = definition;
  const command = withInstruction(parent.command(verb).description(action.about).argument(`<${argument}>`))
    .addOption(yesOption())
    .addOption(jsonOption());
  for (const option of options) command.addOption(option);
  command.action((given: string, chosen: Options) =>
    connected((connections) => performOn(connections, definition, argument === 'id' ? idOf(given) : given, chosen)),
  );
}

/** Adds the command that performs an action on one thing, or on many as a bulk action. */
export function addBulkableAction<Options extends ActionOptions & BulkOptions & FilterOptions>(
  parent: Command,
  bulkType: BulkActionType,
  definition: ActionCommand<Options>,
): void {
  const { verb, action, options = [] } = definition;
  const command = withBulkOptions(parent.command(verb).description(action.about));
  for (const option of options) command.addOption(option);
  command.action((ids: string[], chosen: Options) =>
    connected(async (connections) => {
      const selection = selectionOf(idsOf(ids), chosen, filterOf(chosen));
      const [id, ...others] = 'ids' in selection ? selection.ids : [];
      if (id !== undefined && others.length === 0 && !chosen.dryRun) {
        return await performOn(connections, definition, id, chosen);
      }
      const [extra] = Object.keys(definition.inputOf?.(chosen) ?? {});
      if (extra !== undefined) throw new UsageError(`${extra} can be given for a single id only.`);
      await runBulkAction(connections, bulkType, selection, chosen);
    }),
  );
}

/** Adds the arguments and options of a command that may act on many. */
export const withBulkOptions = (command: Command): Command =>
  withInstruction(withFilter(command.argument('[ids...]').option('--all-matching', 'all that match the filter')))
    .addOption(rateOption())
    .addOption(dryRunOption())
    .addOption(watchOption())
    .addOption(yesOption())
    .addOption(jsonOption());

async function performOn<Options extends ActionOptions>(
  connections: Connections,
  { action, load, inputOf }: ActionCommand<Options>,
  id: string,
  options: Options,
): Promise<void> {
  const { reason, actor } = instructionOf(options);
  // Before the question, so that nobody confirms what is refused.
  const given = action.input.parse({ reason, ...inputOf?.(options) });
  await confirm(`${action.label}: ${id}`, options);
  await action.perform(connections, id, given, actor);
  print(options, await load(connections, id), () => `${id}: ${action.done}`);
}
