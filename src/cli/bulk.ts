import { bulkActionRequestSchema, type BulkActionType } from '../contracts/bulk-actions.ts';
import type { FailureFilter } from '../contracts/failure-filter.ts';
import { startBulkAction } from '../operate/bulk-actions.ts';
import { planBulkAction, type BulkActionPlan } from '../queries/bulk-action-plan.ts';
import { loadBulkAction } from '../views/bulk-action.ts';
import { confirm } from './confirm.ts';
import type { Connections } from './connections.ts';
import { RefusedError, UsageError } from './exit.ts';
import { idOf, instructionOf, type InstructionOptions } from './options.ts';
import { print, sumsText, table, type OutputOptions } from './output.ts';
import { watchBulkAction } from './watch.ts';

/** What every command that acts on many takes. */
export interface BulkOptions extends InstructionOptions, OutputOptions {
  rate: number;
  allMatching?: boolean;
  failedAgainIn?: string;
  dryRun?: boolean;
  yes?: boolean;
  watch?: boolean;
}

/** Everything that matches a filter, these ids, or what failed again in an earlier bulk action. */
export type Selection = { filter: FailureFilter } | { ids: string[] } | { failedAgainIn: string };

/** @throws UsageError unless exactly one of ids, `--all-matching` and `--failed-again-in` is given */
export function selectionOf(ids: string[], { allMatching = false, failedAgainIn }: BulkOptions, filter: FailureFilter): Selection {
  const given = [ids.length > 0, allMatching, failedAgainIn !== undefined].filter(Boolean).length;
  if (given !== 1) throw new UsageError('Give ids, or --all-matching with a filter.');
  if (!allMatching && Object.keys(filter).length > 0) {
    throw new UsageError('A filter needs --all-matching. It cannot be combined with ids.');
  }
  if (failedAgainIn !== undefined) return { failedAgainIn: idOf(failedAgainIn) };
  return allMatching ? { filter } : { ids };
}

/** Acts on many as a bulk action: shows the plan, asks, starts, and follows it with `--watch`. */
export async function runBulkAction(
  connections: Connections,
  action: BulkActionType,
  selection: Selection,
  options: BulkOptions,
): Promise<void> {
  const { db, links } = connections;
  const { dryRun = false, rate: ratePerSecond } = options;
  // A dry run needs no reason; the request does.
  const { reason, actor } = dryRun ? { reason: 'dry run', actor: options.actor } : instructionOf(options);
  const request = bulkActionRequestSchema.parse({ action, ...selection, reason, ratePerSecond, dryRun });
  const plan = await planBulkAction(db, request);
  if (dryRun) return print(options, plan, () => planText(action, plan));
  if (plan.accepted === 0) throw new RefusedError(`Nothing to ${action}.\n${planText(action, plan)}`);
  if (!options.json) console.error(planText(action, plan));
  await confirm(deedText(action, plan), options, plan.accepted);
  const id = await startBulkAction(db, request, actor);
  if (options.watch) return await watchBulkAction(connections, id, options);
  const follow = `npm run ops -- bulk-actions watch ${id}`;
  print(options, await loadBulkAction(db, links, id), () => `Started. Follow it with: ${follow}`);
}

function deedText(action: BulkActionType, { accepted, sums }: BulkActionPlan): string {
  const items = `${action} ${accepted} ${action === 'retry' ? 'failure' : 'order'}${accepted === 1 ? '' : 's'}`;
  return sums.length > 0 ? `${items}, with orders worth ${sumsText(sums)}` : items;
}

function planText(action: BulkActionType, plan: BulkActionPlan): string {
  const { matching, refused, sample } = plan;
  const rows = sample.map(({ orderId, signupId, failureId, amount, currency, refusal }) => [
    orderId ?? signupId,
    failureId,
    amount === null || currency === null ? null : sumsText([{ amount, currency }]),
    refusal ?? action,
  ]);
  return [
    `${matching} match. To do: ${deedText(action, plan)}.`,
    ...refused.map(({ reason, count }) => `Refused: ${count} (${reason}).`),
    ...(rows.length > 0 ? ['', table(['about', 'failure', 'amount', 'what'], rows, '')] : []),
    ...(matching > rows.length ? [`… and ${matching - rows.length} more`] : []),
  ].join('\n');
}
