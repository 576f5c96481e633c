import type { ReplayRequest } from '../../contracts/failures.ts';
import { createReplay, planReplay, type ReplayPlan } from '../../intake/replays.ts';
import { confirm } from './confirm.ts';
import type { Connections } from './connections.ts';
import { RefusedError, UsageError } from './exit.ts';
import { instructionOf, type InstructionOptions } from './options.ts';
import { print, sumsText, table, type OutputOptions } from './output.ts';
import { watchReplay } from './watch.ts';

/** What every command that acts on many takes. */
export interface BulkOptions extends InstructionOptions, OutputOptions {
  rate: number;
  dryRun?: boolean;
  yes?: boolean;
  watch?: boolean;
}

/** Which things are meant: a filter's all, or these. */
export type Selection = Pick<ReplayRequest, 'filter'> | { ids: string[] };

/** Acts on many, as a bulk replay: says what it would do, asks, begins, and follows it when that is wanted. */
export async function runBulk(
  { db }: Connections,
  action: ReplayRequest['action'],
  selection: Selection,
  options: BulkOptions,
): Promise<void> {
  const { dryRun = false, rate: ratePerSecond } = options;
  // A dry run needs no reason; the request does.
  const { reason, actor } = dryRun ? { reason: 'dry run', actor: options.actor } : instructionOf(options);
  const request: ReplayRequest = { action, ...selection, reason, ratePerSecond, dryRun };
  const plan = await planReplay(db, request);
  if (dryRun) return print(options, { dryRun, action, ...plan }, () => planText(action, plan));
  if (plan.accepted === 0) throw new RefusedError(`There is nothing to ${action}.\n${planText(action, plan)}`);
  if (!options.json) console.error(planText(action, plan));
  await confirm(deedText(action, plan), options, plan.accepted);
  const id = await createReplay(db, request, { actor });
  if (options.watch) return await watchReplay(db, id, options);
  print(options, { id, action, ...plan }, () => `Begun. Follow it with: npm run ops -- replays watch ${id}`);
}

const deedText = (action: string, { accepted, sums }: ReplayPlan) =>
  `${action} ${accepted} ${accepted === 1 ? 'order' : 'orders'} of ${sumsText(sums)}`;

function planText(action: string, plan: ReplayPlan): string {
  const { matching, refused, sample } = plan;
  const rows = sample.map(({ orderId, failureId, amount, currency, refusal }) => [
    orderId,
    failureId,
    sumsText([{ amount, currency }]),
    refusal ?? action,
  ]);
  return [
    `${matching} match. To do: ${deedText(action, plan)}.`,
    ...refused.map(({ reason, count }) => `Refused: ${count} (${reason}).`),
    ...(rows.length > 0 ? ['', table(['order', 'failure', 'amount', 'what'], rows, '')] : []),
    ...(matching > rows.length ? [`… and ${matching - rows.length} more`] : []),
  ].join('\n');
}

/** @throws UsageError unless exactly one of ids and `--all-matching` is given */
export function selectionOf(
  ids: string[],
  options: { allMatching?: boolean },
  filter: NonNullable<ReplayRequest['filter']>,
): Selection {
  const all = options.allMatching ?? false;
  if (all === ids.length > 0) throw new UsageError('Name ids, or say --all-matching with a filter.');
  if (!all && Object.keys(filter).length > 0) throw new UsageError('A filter goes with --all-matching, not with ids.');
  return all ? { filter } : { ids };
}
