import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { orderIdOf, signupIdOf } from '../contracts/ids.ts';
import { STATUS_SEARCH_ATTRIBUTE } from '../contracts/names.ts';
import { FINAL_ORDER_STATUSES, FINAL_SIGNUP_STATUSES, LIVE_FAILURE_STATUSES } from '../contracts/statuses.ts';
import type { Database, Transaction } from '../db/client.ts';
import { failures, orders, signups } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import { closeRunFailure, openFailure, type NewFailure } from '../records/failures.ts';

export type RunActivities = ReturnType<typeof createRunActivities>;

const STATUS = STATUS_SEARCH_ATTRIBUTE.name;
const ENDED = [...FINAL_ORDER_STATUSES, ...FINAL_SIGNUP_STATUSES].map((status) => `'${status}'`).join(', ');

/** One way in which runs of any workflow are broken, as Temporal lists them. */
interface Trouble {
  errorType: string;
  query: string;
  message: string;
}

/**
 * Finds runs that are broken by a bug in our code, which they cannot report themselves. A run also ends as Failed after a
 * business refusal, but then its order has ended, too. A run that ended before its first task has no status.
 */
const TROUBLES: Trouble[] = [
  {
    errorType: 'run_failed',
    query: `ExecutionStatus in ('Failed', 'TimedOut', 'Terminated', 'Canceled') and (${STATUS} is null or ${STATUS} not in (${ENDED}))`,
    message: 'The run has ended before its work was done.',
  },
  {
    errorType: 'workflow_task_failing',
    query: `ExecutionStatus = 'Running' and TemporalReportedProblems in ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')`,
    message: 'The workflow code is failing. The run continues once the code is fixed.',
  },
];

/** Failures that are read at once. */
const PAGE = 500;

/** Watches the workflow runs themselves. */
export function createRunActivities({ db, client }: { db: Database; client: Client }) {
  return {
    /**
     * Opens a failure for each broken run, and closes the failures of runs that work again.
     * @throws AggregateError if some runs could not be checked, once all others have been
     */
    async reportBrokenRuns(): Promise<void> {
      const errors: unknown[] = [];
      const check = async (run: () => Promise<void>) => {
        try {
          await run();
        } catch (error) {
          // Temporal has forgotten the run: it is past its retention.
          if (!(error instanceof WorkflowNotFoundError)) errors.push(error);
        }
      };
      for (const trouble of TROUBLES) {
        for await (const run of client.workflow.list({ query: trouble.query })) await check(() => report(run, trouble));
      }
      for await (const workflowId of reportedRuns()) await check(() => closeIfFixed(workflowId));
      if (errors.length > 0) throw new AggregateError(errors, `${errors.length} runs could not be checked.`);
    },
  };

  /** The workflows whose runs are among the live failures. */
  async function* reportedRuns(): AsyncGenerator<string> {
    let last: string | undefined;
    do {
      const page = await db
        .select({ id: failures.id, workflowId: failures.workflowId })
        .from(failures)
        .where(and(eq(failures.kind, 'run'), inArray(failures.status, LIVE_FAILURE_STATUSES), last ? gt(failures.id, last) : undefined))
        .orderBy(asc(failures.id))
        .limit(PAGE);
      for (const { workflowId } of page) yield workflowId;
      last = page.at(-1)?.id;
    } while (last !== undefined);
  }

  async function closeIfFixed(workflowId: string): Promise<void> {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    const isFailing = (raw.pendingWorkflowTask?.attempt ?? 0) > 1;
    if (isFailing || (status.name !== 'RUNNING' && status.name !== 'COMPLETED')) return;
    await transaction(db, (tx) => closeRunFailure(tx, workflowId, 'The run continues.'));
  }

  async function report({ workflowId, runId }: { workflowId: string; runId: string }, { errorType, message }: Trouble): Promise<void> {
    // Only the latest run counts: a run that was reset has ended, too.
    const latest = await client.workflow.getHandle(workflowId).describe();
    if (latest.runId !== runId) return;
    await transaction(db, async (tx) => {
      const subject = await findSubject(tx, workflowId);
      if (!subject || (await isDealtWith(tx, runId))) return;
      await openFailure(tx, { kind: 'run', workflowId, runId, ...subject, step: 'run', errorType, errorMessage: message, attempts: 1 });
    });
  }
}

/** @returns the order or signup that a run is about, if any; undefined when it has ended, so that nothing is missing */
async function findSubject(
  tx: Transaction,
  workflowId: string,
): Promise<Pick<NewFailure, 'orderId' | 'generation' | 'signupId'> | undefined> {
  const [orderId, signupId] = [orderIdOf(workflowId), signupIdOf(workflowId)];
  if (orderId) {
    const [order] = await tx.select().from(orders).where(eq(orders.id, orderId));
    return order && !FINAL_ORDER_STATUSES.includes(order.status) ? { orderId, generation: order.generation } : undefined;
  }
  if (signupId) {
    const [signup] = await tx.select().from(signups).where(eq(signups.id, signupId));
    return signup && !FINAL_SIGNUP_STATUSES.includes(signup.status) ? { signupId } : undefined;
  }
  return {};
}

/** @returns whether its reset has been requested, or a person has settled it */
async function isDealtWith(tx: Transaction, runId: string): Promise<boolean> {
  const [found] = await tx
    .select({ id: failures.id })
    .from(failures)
    .where(and(eq(failures.kind, 'run'), eq(failures.runId, runId), inArray(failures.status, ['retrying', 'settled'])));
  return found !== undefined;
}
