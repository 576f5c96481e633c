import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { orderWorkflowId } from '../contracts/ids.ts';
import { FINAL_ORDER_STATUSES, LIVE_FAILURE_STATUSES, type FailureKind, type OrderStatus } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { commands, failures, orders, sagaSteps } from '../db/schema.ts';
import { PAGE, type Check, type Difference, type Source } from './check.ts';

type Failure = typeof failures.$inferSelect;

/** What a failure may wait for, as Postgres knows it. */
interface Awaited {
  failure: Failure;
  orderStatus: OrderStatus | null;
  /** The state of the step, or of the compensation, that failed. */
  stepState: (typeof sagaSteps.$inferSelect)['state'] | null;
  /** Whether a command to its workflow is due. */
  isDue: boolean;
  /** The state of the command that failed. */
  commandState: (typeof commands.$inferSelect)['state'] | null;
}

type Finding = Pick<Difference, 'what' | 'theirs' | 'fix'> | undefined;

const isFinal = (status: OrderStatus | null): boolean => status !== null && FINAL_ORDER_STATUSES.includes(status);

/** Of these kinds, a failure waits for something that must exist. An email, for example, waits for nothing. */
const KINDS = ['step', 'compensation', 'command', 'run', 'late_shipment'] as const satisfies FailureKind[];
type Kind = (typeof KINDS)[number];

const orderText = ({ orderStatus }: Awaited) => `the order is ${orderStatus ?? 'unknown'}`;

/** What is wrong with a failure of each kind, if anything is. */
const FINDINGS: Record<Kind, (awaited: Awaited) => Finding> = {
  step(awaited) {
    const { failure, orderStatus, stepState, isDue } = awaited;
    const isParked = orderStatus === 'needs_attention';
    if (isDue) return undefined;
    if (failure.status === 'open') return isParked ? undefined : { what: 'nothing_parked', theirs: orderText(awaited) };
    if (isParked) return { what: 'retry_lost', theirs: 'the order is parked and no command is due', fix: 'reopen_failure' };
    if (isFinal(orderStatus) || stepState === 'done') return { what: 'nothing_retried', theirs: orderText(awaited) };
    return undefined;
  },
  compensation(awaited) {
    const { orderStatus, stepState } = awaited;
    const isUnderWay = stepState === 'running' || stepState === 'retrying' || !isFinal(orderStatus);
    return isUnderWay ? undefined : { what: 'nothing_undone', theirs: orderText(awaited) };
  },
  command({ commandState }) {
    if (commandState === 'set_aside') return undefined;
    return { what: 'command_not_set_aside', theirs: `the command is ${commandState ?? 'gone'}` };
  },
  run(awaited) {
    const { failure, orderStatus, isDue } = awaited;
    if (isFinal(orderStatus)) return { what: 'run_not_needed', theirs: orderText(awaited) };
    if (failure.status !== 'retrying' || isDue) return undefined;
    return { what: 'reset_lost', theirs: 'no reset is due', fix: 'reopen_failure' };
  },
  late_shipment(awaited) {
    const { orderStatus } = awaited;
    const isOver = orderStatus === 'shipped' || isFinal(orderStatus);
    return isOver ? { what: 'nothing_late', theirs: orderText(awaited) } : undefined;
  },
};

const isKind = (kind: FailureKind): kind is Kind => KINDS.some((known) => known === kind);

/** Each failure that is not closed has what it waits for, and each parked order has a failure. */
export const waitingFailures = (db: Database): Check => {
  const live = inArray(failures.status, LIVE_FAILURE_STATUSES);

  /** All of them, every time: there are only as many as people can look at. */
  const fromFailures: Source = async (_span, after) => {
    const rows = await db
      .select({ id: failures.id })
      .from(failures)
      .where(and(live, inArray(failures.kind, [...KINDS]), after === undefined ? undefined : gt(failures.id, after)))
      .orderBy(asc(failures.id))
      .limit(PAGE);
    return pageOf(rows);
  };

  const fromParkedOrders: Source = async (_span, after) => {
    const rows = await db
      .select({ id: orders.id })
      .from(orders)
      .where(and(eq(orders.status, 'needs_attention'), after === undefined ? undefined : gt(orders.id, after)))
      .orderBy(asc(orders.id))
      .limit(PAGE);
    return pageOf(rows);
  };

  async function compareFailures(ids: string[]): Promise<Difference[]> {
    const rows: Awaited[] = await db
      .select({
        failure: failures,
        orderStatus: orders.status,
        stepState: sagaSteps.state,
        isDue: sql<boolean>`exists (select from ${commands} as due where due.workflow_id = ${failures.workflowId} and due.state = 'pending')`,
        commandState: commands.state,
      })
      .from(failures)
      .leftJoin(orders, eq(orders.id, failures.orderId))
      .leftJoin(
        sagaSteps,
        and(
          eq(sagaSteps.orderId, failures.orderId),
          eq(sagaSteps.generation, failures.generation),
          eq(sagaSteps.step, failures.step),
          eq(sagaSteps.kind, failures.kind),
        ),
      )
      // The number of the command is part of the step's name.
      .leftJoin(
        commands,
        and(eq(failures.kind, 'command'), eq(commands.id, sql`substring(${failures.step} from '^command (\\d+)$')::bigint`)),
      )
      .where(and(live, inArray(failures.id, ids)));
    return rows.flatMap((awaited) => {
      const { id, kind, step, status, orderId, generation } = awaited.failure;
      const finding = isKind(kind) ? FINDINGS[kind](awaited) : undefined;
      if (!finding) return [];
      const of = { ...(orderId === null ? {} : { orderId }), ...(generation === null ? {} : { generation }) };
      return [{ subject: id, ours: `${kind} ${step} is ${status}`, ...of, ...finding }];
    });
  }

  async function compareParkedOrders(ids: string[]): Promise<Difference[]> {
    const parked = await db
      .select({ id: orders.id, generation: orders.generation })
      .from(orders)
      .where(
        and(
          inArray(orders.id, ids),
          eq(orders.status, 'needs_attention'),
          sql`not exists (select from ${failures} where ${failures.orderId} = ${orders.id} and ${failures.kind} = 'step' and ${live})`,
        ),
      );
    return parked.map(({ id, generation }) => ({
      subject: id,
      what: 'failure_missing',
      ours: 'no failure',
      theirs: `the order ${orderWorkflowId(id)} is parked`,
      orderId: id,
      generation,
    }));
  }

  return {
    name: 'failures',
    sources: [fromFailures, fromParkedOrders],
    // An id is that of a failure or of an order. No id is both.
    compare: async (ids) => [...(await compareFailures(ids)), ...(await compareParkedOrders(ids))],
  };
};

function pageOf(rows: { id: string }[]) {
  const ids = rows.map(({ id }) => id);
  return { compared: ids.length, suspects: ids, next: ids.length < PAGE ? undefined : ids.at(-1) };
}
