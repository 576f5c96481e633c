import { and, eq, gt, inArray, max, min, notInArray, sql, type SQL } from 'drizzle-orm';
import type { AlertContent } from '../contracts/alerts.ts';
import { SERVICE_NAMES, serviceOf, type Service } from '../contracts/health.ts';
import { formatMoney } from '../contracts/money.ts';
import { withoutStop } from '../contracts/sentences.ts';
import { LIVE_FAILURE_STATUSES, type FailureKind } from '../contracts/statuses.ts';
import type { Transaction } from '../db/client.ts';
import { isRecent } from '../db/liveness.ts';
import { failures, orders, serviceProbes } from '../db/schema.ts';
import { clockTime, type Clock, type Trouble } from './trouble.ts';

/** ms. An outage parks its orders within seconds of each other. With the time until the next look, at most half a minute. */
const HOLD = 25_000;

type Group = Pick<typeof failures.$inferSelect, 'kind' | 'step' | 'errorType'>;

/** Operations gets a reminder by email instead. */
const WITHOUT_ALERT: FailureKind[] = ['late_shipment'];

/** @returns the groups of similar failures that are not closed */
export async function readFailureGroups(tx: Transaction): Promise<Trouble[]> {
  const { kind, step, errorType } = failures;
  const groups = await tx
    .select({
      kind,
      step,
      errorType,
      open: sql<number>`(count(*) filter (where ${failures.status} = 'open'))::int`,
      since: min(failures.lastSeenAt),
    })
    .from(failures)
    .where(and(inArray(failures.status, LIVE_FAILURE_STATUSES), notInArray(failures.kind, WITHOUT_ALERT)))
    .groupBy(kind, step, errorType);
  return groups.map(({ open: count, since, ...group }) => ({
    subject: `${group.kind}/${group.step}/${group.errorType}`,
    count,
    since: since ?? new Date(),
    holdFor: HOLD,
    describe: (reader, clock, began) => describe(reader, group, clock, began),
  }));
}

const isOpenIn = ({ kind, step, errorType }: Group): SQL | undefined =>
  and(eq(failures.status, 'open'), eq(failures.kind, kind), eq(failures.step, step), eq(failures.errorType, errorType));

async function describe(tx: Transaction, group: Group, clock: Clock, since: Date): Promise<AlertContent> {
  const { errorMessage, lastSeenAt } = failures;
  const [[sum], money] = await Promise.all([
    tx
      .select({
        count: sql<number>`count(*)::int`,
        message: sql<string | null>`(array_agg(${errorMessage} order by ${lastSeenAt} desc))[1]`,
        latest: max(lastSeenAt),
      })
      .from(failures)
      .where(isOpenIn(group)),
    tx
      .select({ currency: orders.currency, amount: sql<number>`sum(${orders.amount})::float8` })
      .from(orders)
      .where(inArray(orders.id, tx.select({ id: sql`${failures.orderId}` }).from(failures).where(isOpenIn(group))))
      .groupBy(orders.currency),
  ]);
  const { count = 0, message = null, latest = null } = sum ?? {};
  const worth = money.map(({ amount, currency }) => formatMoney(amount, currency)).join(' + ');
  const service = serviceOf(group.errorType);
  const answeringSince = service && latest ? await readAnsweringSince(tx, service, latest) : undefined;
  return describeGroup(group, { count, worth, since, message: message ?? '', answeringSince }, clock);
}

/** @returns since when a service has answered every probe, if that began after a failure; undefined if it does not, or nobody probes it */
async function readAnsweringSince(tx: Transaction, service: Service, failure: Date): Promise<Date | undefined> {
  const { answeringSince, lastSuccessAt } = serviceProbes;
  const [probed] = await tx
    .select({ answeringSince })
    .from(serviceProbes)
    .where(and(eq(serviceProbes.service, service), gt(answeringSince, failure), isRecent(lastSuccessAt)));
  return probed?.answeringSince ?? undefined;
}

interface Facts {
  count: number;
  /** Of the orders that it is about, e.g. `€133.50`; empty if there are none. */
  worth: string;
  since: Date;
  message: string;
  /** Since when the service that they wait for has answered again. */
  answeringSince?: Date | undefined;
}

/** @returns what to say about a group of open failures */
function describeGroup(group: Group, { count, worth, since, message, answeringSince }: Facts, clock: Clock): AlertContent {
  const { one, many, state, isMoney, advice, adviceOnceBack = advice } = WORDS[group.kind](group.step);
  const money = isMoney && worth !== '' ? ` (${worth})` : '';
  const noun = count === 1 ? one : many;
  const service = serviceOf(group.errorType);
  const at = clockTime(since, clock);
  const again = answeringSince && `has answered again since ${clockTime(answeringSince, clock)}`;
  const cause = service
    ? `the ${SERVICE_NAMES[service].toLowerCase()} ${again ?? `has not answered since ${at}`}`
    : `${withoutStop(message)}, since ${at}`;
  const query = new URLSearchParams({ status: 'open', ...group });
  return {
    title: `${count} ${noun}${money} ${state}: ${cause}`,
    lines: [again ? adviceOnceBack : advice, `Last error: ${message} (${group.errorType})`],
    path: `/ops/failures?${query.toString()}`,
    count,
    since: since.toISOString(),
    over: `no more ${many} ${state}`,
  };
}

interface Words {
  one: string;
  many: string;
  state: string;
  /** Whether the worth of the orders is at stake. */
  isMoney: boolean;
  /** What to do. */
  advice: string;
  /** What to do once the service answers again; the same, unless given. */
  adviceOnceBack?: string;
}

const STEPS: Record<string, string> = {
  reserve: 'the stock reservation',
  approval: 'approval',
  charge: 'payment',
  ship: 'shipping',
  invoice: 'invoicing',
};

const COMPENSATIONS: Record<string, [one: string, many: string]> = {
  reserve: ['release of stock', 'releases of stock'],
  charge: ['refund', 'refunds'],
  ship: ['withdrawal of a parcel', 'withdrawals of parcels'],
  invoice: ['cancellation of an invoice', 'cancellations of invoices'],
};

const plain = (text: string): string => text.replaceAll('_', ' ');

/** What a failure of each kind is called, by its step. */
const WORDS: Record<FailureKind, (step: string) => Words> = {
  step: (step) => ({
    one: 'order',
    many: 'orders',
    state: `parked at ${STEPS[step] ?? plain(step)}`,
    isMoney: true,
    advice: 'Each waits for a decision: retry them together once the cause is fixed, or cancel them. Nothing is undone meanwhile.',
    adviceOnceBack: 'Each waits for a decision: retry them together now, or cancel them. Nothing is undone meanwhile.',
  }),
  compensation: (step) => {
    const [one, many] = COMPENSATIONS[step] ?? ['compensation', 'compensations'];
    return {
      one,
      many,
      state: 'failing',
      isMoney: true,
      advice: 'No decision is awaited: each is retried until it succeeds. Fix the other side. Settle one by hand only if it was done in another way.',
    };
  },
  email: (template) => ({
    one: 'email',
    many: 'emails',
    state: `not sent (${plain(template)})`,
    isMoney: false,
    advice: 'No order waits for them. Send them again together once the mail server accepts them.',
    adviceOnceBack: 'No order waits for them. Send them again together now.',
  }),
  command: (type) => ({
    one: 'request',
    many: 'requests',
    state: `not delivered (${plain(type)})`,
    isMoney: false,
    advice: 'Retrying would not have helped. Fix the cause, then deliver them again.',
  }),
  run: () => ({
    one: 'workflow run',
    many: 'workflow runs',
    state: 'broken',
    isMoney: false,
    advice: 'The code has a bug. Nothing is undone: fix it, deploy it, and reset the runs that have ended.',
  }),
  late_shipment: () => ({
    one: 'order',
    many: 'orders',
    state: 'not handed to a carrier',
    isMoney: true,
    advice: 'Ask the warehouse.',
  }),
  unexpected_shipment: () => ({
    one: 'parcel',
    many: 'parcels',
    state: 'on the way that should not be',
    isMoney: true,
    advice: 'Nobody pays for them. Ask the warehouse or the carrier to call them back.',
  }),
  discrepancy: (check) => ({
    one: 'difference',
    many: 'differences',
    state: `in ${plain(check)}`,
    isMoney: false,
    advice: 'Two records disagree. Find out which is right.',
  }),
  refund: () => ({
    one: 'refund',
    many: 'refunds',
    state: 'failed after it had succeeded',
    isMoney: true,
    advice: 'The customers do not have their money. Ask for the refunds again, or give the money back in another way.',
  }),
  dispute: () => ({
    one: 'payment',
    many: 'payments',
    state: 'disputed',
    isMoney: true,
    advice: "Answer in the provider's dashboard before the evidence is due.",
  }),
};
