import type { Client } from '@temporalio/client';
import { and, asc, eq, gt, gte, inArray, lt, notInArray } from 'drizzle-orm';
import type { BookCheck } from '../contracts/books.ts';
import { orderIdOf, orderWorkflowId, signupIdOf, signupWorkflowId } from '../contracts/ids.ts';
import {
  FINAL_ORDER_STATUSES,
  FINAL_SIGNUP_STATUSES,
  LIVE_FAILURE_STATUSES,
  SIGNUP_STATUSES,
} from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { commands, failures, orders, signups } from '../db/schema.ts';
import { listRuns, readCurrentRun, type CurrentRun, type ListedRun } from '../temporal/compared-runs.ts';
import { PAGE, type Check, type Difference, type Source, type Span } from './check.ts';
import { listOrders } from './orders.ts';
import { inParallel } from './pace.ts';

/** What has a run: an order or a signup. */
interface Row {
  id: string;
  status: string;
  /** Orders only. */
  generation?: number;
}

/** How one kind of row and its runs are found. */
interface Kind {
  check: BookCheck;
  workflowType: string;
  /** The status of a run that shows none. */
  first: string;
  final: readonly string[];
  workflowIdOf: (id: string) => string;
  /** @returns undefined for a workflow of another kind */
  idOf: (workflowId: string) => string | undefined;
  /** @returns a page of ids, in order: those that changed in a span, or all live ones */
  list: (span: Span, after: string | undefined) => Promise<string[]>;
  read: (ids: string[]) => Promise<Row[]>;
  subjectOf: (row: Row) => Pick<Difference, 'orderId' | 'signupId' | 'generation'>;
}

/** Every live order has an open run of its generation that shows its status, or a command is due; every open run has its row. */
export const orderRuns = (db: Database, client: Client): Check =>
  createRunCheck(db, client, {
    check: 'order_runs',
    workflowType: 'order',
    first: 'accepted',
    final: FINAL_ORDER_STATUSES,
    workflowIdOf: orderWorkflowId,
    idOf: orderIdOf,
    list: (span, after) => listOrders(db, span, after, notInArray(orders.status, [...FINAL_ORDER_STATUSES])),
    read: (ids) =>
      db
        .select({ id: orders.id, status: orders.status, generation: orders.generation })
        .from(orders)
        .where(inArray(orders.id, ids)),
    subjectOf: ({ id, generation }) => ({ orderId: id, ...(generation === undefined ? {} : { generation }) }),
  });

/** The same for signups. */
export const signupRuns = (db: Database, client: Client): Check =>
  createRunCheck(db, client, {
    check: 'signup_runs',
    workflowType: 'signup',
    first: 'pending_verification',
    final: FINAL_SIGNUP_STATUSES,
    workflowIdOf: signupWorkflowId,
    idOf: signupIdOf,
    async list({ from, until }, after) {
      const live = SIGNUP_STATUSES.filter((status) => !FINAL_SIGNUP_STATUSES.includes(status));
      const rows = await db
        .select({ id: signups.id })
        .from(signups)
        .where(
          and(
            from === undefined
              ? inArray(signups.status, live)
              : and(gte(signups.updatedAt, from), lt(signups.updatedAt, until)),
            after === undefined ? undefined : gt(signups.id, after),
          ),
        )
        .orderBy(asc(signups.id))
        .limit(PAGE);
      return rows.map(({ id }) => id);
    },
    read: (ids) =>
      db.select({ id: signups.id, status: signups.status }).from(signups).where(inArray(signups.id, ids)),
    subjectOf: ({ id }) => ({ signupId: id }),
  });

function createRunCheck(db: Database, client: Client, kind: Kind): Check {
  const isLive = ({ status }: Row) => !kind.final.includes(status);
  const shown = ({ status }: Pick<ListedRun, 'status'>) => status ?? kind.first;

  /** Rows without the run that they should have. */
  const fromRows: Source = async (span, after) => {
    const ids = await kind.list(span, after);
    if (ids.length === 0) return { compared: 0, suspects: [], next: undefined };
    const rows = await kind.read(ids);
    const quoted = ids.map((id) => `'${kind.workflowIdOf(id)}'`).join(', ');
    const { runs } = await listRuns(client, `ExecutionStatus = 'Running' and WorkflowId in (${quoted})`, {
      size: PAGE,
      after: undefined,
    });
    const open = new Map(runs.map((run) => [run.workflowId, run]));
    const suspects = rows.filter((row) => looksDifferent(row, open.get(kind.workflowIdOf(row.id))));
    return {
      compared: rows.length,
      suspects: suspects.map(({ id }) => id),
      next: ids.length < PAGE ? undefined : ids.at(-1),
    };
  };

  /** Open runs without the row that they should have, and live rows whose run has ended. */
  const fromRuns: Source = async ({ from, until: _until }, after) => {
    const since = from && `'${from.toISOString()}'`;
    const which = since
      ? `((ExecutionStatus = 'Running' and StartTime >= ${since}) or (ExecutionStatus != 'Running' and CloseTime >= ${since}))`
      : `ExecutionStatus = 'Running'`;
    const { runs, next } = await listRuns(client, `WorkflowType = '${kind.workflowType}' and ${which}`, { size: PAGE, after });
    const ours = runs.flatMap((run) => {
      const id = kind.idOf(run.workflowId);
      return id === undefined ? [] : [{ id, run }];
    });
    const rows = new Map((await kind.read(ours.map(({ id }) => id))).map((row) => [row.id, row]));
    const suspects = ours.filter(({ id, run }) => {
      const row = rows.get(id);
      return run.open ? row === undefined || row.status !== shown(run) : row !== undefined && isLive(row);
    });
    return { compared: ours.length, suspects: [...new Set(suspects.map(({ id }) => id))], next };
  };

  const looksDifferent = (row: Row, run: ListedRun | undefined): boolean =>
    run === undefined ? isLive(row) : shown(run) !== row.status;

  /** @returns the workflows that a command or a failure is about: what is missing there is not unseen */
  async function attendedTo(workflowIds: string[]): Promise<Set<string>> {
    const due = await db
      .select({ workflowId: commands.workflowId })
      .from(commands)
      .where(and(inArray(commands.workflowId, workflowIds), eq(commands.state, 'pending')));
    const failing = await db
      .select({ workflowId: failures.workflowId })
      .from(failures)
      .where(
        and(
          inArray(failures.workflowId, workflowIds),
          inArray(failures.kind, ['run', 'command']),
          inArray(failures.status, LIVE_FAILURE_STATUSES),
        ),
      );
    return new Set([...due, ...failing].map(({ workflowId }) => workflowId));
  }

  async function compare(ids: string[]): Promise<Difference[]> {
    const rows = new Map((await kind.read(ids)).map((row) => [row.id, row]));
    const attended = await attendedTo(ids.map(kind.workflowIdOf));
    const unattended = ids.filter((id) => !attended.has(kind.workflowIdOf(id)));
    const found = await inParallel(unattended, async (id) => {
      const row = rows.get(id);
      const run = await readCurrentRun(client, kind.workflowIdOf(id));
      const difference = differenceBetween(row, run);
      return difference && { subject: id, ...(row ? kind.subjectOf(row) : {}), ...difference };
    });
    return found.filter((difference) => difference !== undefined);
  }

  function differenceBetween(
    row: Row | undefined,
    run: CurrentRun | undefined,
  ): Pick<Difference, 'what' | 'ours' | 'theirs' | 'fix'> | undefined {
    const sides = { ours: rowText(row), theirs: runText(run) };
    if (row === undefined) return run?.open ? { what: 'row_missing', ...sides } : undefined;
    const isOlder = run?.generation !== undefined && row.generation !== undefined && run.generation < row.generation;
    if (run === undefined || (isOlder && run.state === 'FAILED')) {
      if (!isLive(row)) return undefined;
      // Steps that are done are not repeated. One that is being undone, however, would meet its compensation.
      return { what: 'run_missing', ...sides, ...(row.status === 'compensating' ? {} : { fix: 'start_run' as const }) };
    }
    if (!run.open) return isLive(row) ? { what: 'run_ended', ...sides } : undefined;
    if (run.generation !== undefined && run.generation !== row.generation) return { what: 'generation_differs', ...sides };
    if (run.busy || shown(run) === row.status) return undefined;
    return { what: 'status_differs', ...sides };
  }

  return { name: kind.check, sources: [fromRows, fromRuns], compare };
}

const generationText = (generation: number | undefined) => (generation === undefined ? '' : `, generation ${generation}`);

const rowText = (row: Row | undefined): string => (row ? `${row.status}${generationText(row.generation)}` : 'no row');

function runText(run: CurrentRun | undefined): string {
  if (!run) return 'no run';
  const state = run.open ? 'an open run' : `a run that has ended (${run.state})`;
  return `${state}, showing ${run.status ?? 'no status'}${generationText(run.generation)}`;
}
