import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { orderWorkflowId, signupWorkflowId } from '../../src/contracts/ids.ts';
import { eventually, placeOrder, signUpAndSubscribe } from '../harness/customer.ts';
import { countHistory, historyLines, type RunCost } from '../harness/history.ts';
import { defineMeasure, positive } from '../harness/measure.ts';
import { rounded, type Figures } from '../harness/report.ts';
import type { Side } from '../harness/side.ts';
import { connectTo, startBaseline, startPeer, startProduct, type Bench, type SideSetup } from '../harness/sides.ts';
import { startSqlCounter, type SeenTransaction, type SqlCounter } from '../harness/sql-counter.ts';

/** What one order or signup costs. */
interface Cost {
  run: RunCost;
  /** The types of its events, in order. */
  story: string;
  sql: SeenTransaction[];
}

/** As in life, a parcel ships and arrives when the order has nothing else to do. Its news then always costs the same. */
const PACE = { WAREHOUSE_SHIP_AFTER: '1s', WAREHOUSE_DELIVER_AFTER: '1s' };

/** A run closes and its last commands are settled before Postgres is silent for so long, in ms. */
const SILENCE = 750;

export const cost = defineMeasure({
  name: 'cost',
  about: 'What one order and one signup cost: history events, workflow tasks, Actions, statements, transactions.',
  options: z.object({ orders: positive(20), signups: positive(5), peer: z.enum(['plain', 'none']).default('plain') }),

  async run(bench, options) {
    const counter = await startSqlCounter(bench.postgres.url);
    bench.atEnd(counter.close);
    const setup: SideSetup = { through: counter.through, environment: PACE };
    const tables: Figures[] = [];
    const count = async (side: Side | undefined, { orders, signups }: { orders: number; signups: number }) => {
      if (!side) return;
      tables.push(...(await measure(bench, side, counter, { orders, signups })));
      await side.stop();
    };
    await count(await startProduct(bench, setup), options);
    // It takes orders only.
    if (options.peer === 'plain') await count(await startPeer(bench, 'plain', setup), { ...options, signups: 0 });
    await count(await startBaseline(bench, setup), options);
    return tables;
  },
});

async function measure(
  bench: Bench,
  side: Side,
  counter: SqlCounter,
  { orders, signups }: { orders: number; signups: number },
): Promise<Figures[]> {
  const client = await connectTo(bench, side);
  await pauseSchedules(client);
  const { tell, keep } = bench;

  /** Does something once, unless it is only to warm up. @returns what it cost */
  const costOf = async (act: () => Promise<string>): Promise<Cost> => {
    await counter.silence(SILENCE);
    counter.take();
    const handle = client.workflow.getHandle(await act());
    await eventually(`run ${handle.workflowId}`, () => handle.describe().catch(() => undefined));
    await handle.result();
    await counter.silence(SILENCE);
    const sql = takeWork(counter);
    const history = await handle.fetchHistory();
    return { run: countHistory(history), story: historyLines(history), sql };
  };
  const order = () => placeOrder(side).then(orderWorkflowId);
  const signup = () => signUpAndSubscribe(side).then(signupWorkflowId);
  const repeat = async (what: string, act: () => Promise<string>, count: number): Promise<Cost[]> => {
    tell(`${side.name}: ${count} ${what}, one after the other`);
    // Connections and caches are made by the first.
    await costOf(act);
    const all: Cost[] = [];
    while (all.length < count) all.push(await costOf(act));
    return all;
  };
  /** Orders share what is done for several at once. @returns what all of them did in Postgres */
  const together = async (count: number): Promise<Together> => {
    tell(`${side.name}: ${count} orders at once`);
    counter.take();
    const ids = await Promise.all(Array.from({ length: count }, order));
    for (const id of ids) {
      const handle = client.workflow.getHandle(id);
      await eventually(`run ${id}`, () => handle.describe().catch(() => undefined));
      await handle.result();
    }
    await counter.silence(SILENCE);
    return { count, sql: takeWork(counter) };
  };
  const costs: Costs = {
    order: await repeat('orders', order, orders),
    ...(signups > 0 && { signup: await repeat('signups', signup, signups) }),
  };
  for (const [what, all] of Object.entries(costs)) {
    const last = all.at(-1);
    if (last) await keep(`cost-${side.name}-${what}.txt`, `${last.story}\n\n${sqlLines(last.sql)}\n`);
  }
  return [temporalTable(side.name, costs), sqlTable(side.name, costs), togetherTable(side.name, await together(orders))];
}

/** What a schedule starts is not part of an order. */
async function pauseSchedules(client: Client): Promise<void> {
  for await (const { scheduleId } of client.schedule.list()) await client.schedule.getHandle(scheduleId).pause();
}

/** What every process does by the clock, orders or not, is not part of an order: alerts, probes, and saying that it is alive. */
const takeWork = (counter: SqlCounter): SeenTransaction[] => counter.take().filter(({ statements }) => !statements.some(isByTheClock));

const isByTheClock = (text: string): boolean =>
  /"(alerts|alert_messages|service_probes|workers)"/.test(text) || /^\s*select extract\(epoch from now\(\)\)/.test(text);

const RUN_ROWS: [keyof RunCost, string][] = [
  ['events', 'history events'],
  ['workflowTasks', 'workflow tasks'],
  ['activities', 'activities'],
  ['localActivities', 'local activities'],
  ['signals', 'signals'],
  ['timers', 'timers'],
  ['searchAttributeUpserts', 'upserts of search attributes'],
  ['actions', 'billable Actions'],
];

type Costs = Partial<Record<'order' | 'signup', Cost[]>>;

function temporalTable(side: string, costs: Costs): Figures {
  const all = Object.values(costs);
  const rows = RUN_ROWS.map(([key, text]) => [text, ...all.map((each) => average(each.map(({ run }) => run[key])))]);
  return { title: `${side}: cost in Temporal`, columns: ['', ...Object.keys(costs)], rows };
}

const PARTS = ['API', 'dispatcher', 'activities', 'other'] as const;
type Part = (typeof PARTS)[number];

/** Each part of a side, and all of them. */
const SQL_ROWS: [string, (part: Part) => boolean][] = [
  ...PARTS.map((part): [string, (its: Part) => boolean] => [part, (its) => its === part]),
  ['all', () => true],
];

function sqlTable(side: string, costs: Costs): Figures {
  const cells = (keep: (part: Part) => boolean): number[] =>
    Object.values(costs).flatMap((all) => {
      const sql = all.map((one) => one.sql.filter((transaction) => keep(partOf(transaction))));
      return [
        average(sql.map((transactions) => transactions.flatMap(({ statements }) => statements).length)),
        average(sql.map((transactions) => transactions.length)),
      ];
    });
  return {
    title: `${side}: cost in Postgres`,
    columns: ['', ...Object.keys(costs).flatMap((what) => [`${what}: statements`, `${what}: transactions`])],
    rows: SQL_ROWS.map(([text, keep]) => [text, ...cells(keep)]),
  };
}

/** What several orders did in Postgres. */
interface Together {
  count: number;
  sql: SeenTransaction[];
}

function togetherTable(side: string, { count, sql }: Together): Figures {
  return {
    title: `${side}: cost in Postgres per order, ${count} orders at once`,
    columns: ['', 'statements', 'transactions'],
    rows: SQL_ROWS.map(([text, keep]) => {
      const its = sql.filter((transaction) => keep(partOf(transaction)));
      return [text, rounded(its.flatMap(({ statements }) => statements).length / count), rounded(its.length / count)];
    }),
  };
}

/** Which part of a side a transaction belongs to. Dispatcher and activities share a process and its connections. */
function partOf({ application, statements }: SeenTransaction): Part {
  if (/^\w+-api/.test(application)) return 'API';
  if (!/^\w+-worker/.test(application)) return 'other';
  const work = statements.filter((text) => !/^\s*(begin|commit|start transaction)\b/i.test(text));
  return work.every(isAboutCommands) ? 'dispatcher' : 'activities';
}

const isAboutCommands = (text: string): boolean => /\bcommands\b/.test(text) && !/\b(orders|signups|saga_steps)\b/.test(text);

const sqlLines = (transactions: readonly SeenTransaction[]): string =>
  transactions
    .map((transaction) => [`-- ${partOf(transaction)}`, ...transaction.statements.map((text) => text.replaceAll(/\s+/g, ' '))].join('\n'))
    .join('\n\n');

const average = (values: readonly number[]): number => rounded(values.reduce((sum, value) => sum + value, 0) / values.length);
