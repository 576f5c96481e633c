import { and, eq, gte, inArray, isNotNull, lt, sql } from 'drizzle-orm';
import { sumOf } from '../contracts/money.ts';
import { hasFailed } from '../contracts/statuses.ts';
import type { Database } from '../db/client.ts';
import { orders, payments, refunds } from '../db/schema.ts';
import type { PaymentGateway, PaymentIntent, ProviderRefund } from '../gateways/stripe.ts';
import { isEndedBadly } from '../records/order-rows.ts';
import { isByHand } from '../records/refunds.ts';
import { PAGE, type Check, type Difference, type Source } from './check.ts';
import { listOrders } from './orders.ts';
import { isStepAtWork } from './order-state.ts';
import { createPace, inParallel } from './pace.ts';
import { nextPart, partOf } from './parts.ts';

/** A payment as Postgres knows it. */
interface Ours {
  payment: typeof payments.$inferSelect;
  refunds: ProviderRefund[];
  /** Minor units that a person gave back outside the provider. */
  byHand: number;
  /** The charge is being made or undone, so the provider may be ahead. */
  isAtWork: boolean;
  /** The order, or this generation of it, has ended without success: its money belongs to the customer. */
  isEndedBadly: boolean;
  /** A failure says that it has not been given back, and waits for a person or for a refund that was asked for lately. */
  isKnown: boolean;
}

/** A payment as the provider knows it. */
interface Theirs {
  intent: PaymentIntent;
  refunds: ProviderRefund[];
}

/**
 * Whether the retry of a failure may still come to something. It asks every few minutes, so after a day it gets nowhere, or its run
 * is lost, e.g. because Temporal was restored from a backup: nobody could retry or settle the failure then.
 */
const isAskedLately = sql`exists (
  select from failure_events where failure_events.failure_id = failures.id
    and failure_events.type = 'retry_requested' and failure_events.created_at > now() - interval '1 day')`;

/** Every payment and every refund is the same at the provider, and money of an order that ended badly is given back. */
export function providerPayments(db: Database, gateway: PaymentGateway): Check {
  const pace = createPace();

  /** What the provider lists, and our payments of the same time that it does not. */
  const fromIntents: Source = async (span, after) => {
    const part = partOf(span, after);
    await pace();
    const page = await gateway.listIntentsCreated(span, part.after);
    const range = part.until(page.after === undefined ? undefined : page.items.at(-1)?.createdAt);
    const listed = new Map(page.items.map((intent) => [intent.id, intent]));
    const known = await db
      .select({ payment: payments, isEndedBadly: sql<boolean>`${isEndedBadly(payments.generation)}` })
      .from(payments)
      .innerJoin(orders, eq(orders.id, payments.orderId))
      .where(inArray(payments.providerPaymentId, [...listed.keys()]));
    const byId = new Map(known.map((row) => [row.payment.providerPaymentId, row]));
    const suspects = page.items.filter((intent) => {
      const found = byId.get(intent.id);
      if (!found) return holdsMoney(intent);
      const { payment } = found;
      const isKept = found.isEndedBadly && payment.refunded < intent.received;
      return isKept || stateOf(payment) !== stateOfIntent(intent) || payment.captured !== intent.received;
    });
    const ours = await db
      .select({ id: payments.providerPaymentId })
      .from(payments)
      .where(and(isNotNull(payments.providerPaymentId), gte(payments.createdAt, range.from), lt(payments.createdAt, range.until)))
      .limit(MOST);
    const unlisted = ours.flatMap(({ id }) => (id === null || listed.has(id) ? [] : [id]));
    return {
      compared: page.items.length,
      suspects: [...new Set([...suspects.map(({ id }) => id), ...unlisted])],
      next: nextPart(page.after, range),
    };
  };

  /** The same for refunds. They come later than their payments, so the list of payments does not show new ones. */
  const fromRefunds: Source = async (span, after) => {
    const part = partOf(span, after);
    await pace();
    const page = await gateway.listRefundsCreated(span, part.after);
    const range = part.until(page.after === undefined ? undefined : page.items.at(-1)?.createdAt);
    const listed = new Map(page.items.map((refund) => [refund.id, refund]));
    const known = await db.select().from(refunds).where(inArray(refunds.providerRefundId, [...listed.keys()]));
    const byId = new Map(known.map((refund) => [refund.providerRefundId, refund]));
    const suspects = page.items.flatMap(({ id, amount, status, intentId }) => {
      const refund = byId.get(id);
      return intentId === undefined || (refund?.amount === amount && refund.status === status) ? [] : [intentId];
    });
    const ours = await db
      .select({ id: refunds.providerRefundId, intentId: payments.providerPaymentId })
      .from(refunds)
      .innerJoin(payments, eq(payments.id, refunds.paymentId))
      .where(and(gte(refunds.createdAt, range.from), lt(refunds.createdAt, range.until)))
      .limit(MOST);
    const unlisted = ours.flatMap(({ id, intentId }) => (intentId === null || listed.has(id) ? [] : [intentId]));
    return { compared: page.items.length, suspects: [...new Set([...suspects, ...unlisted])], next: nextPart(page.after, range) };
  };

  /** Money of orders that have ended badly since the last check. */
  const fromOrders: Source = async (span, after) => {
    if (span.from === undefined) return { compared: 0, suspects: [], next: undefined };
    const ids = await listOrders(db, span, after);
    const next = ids.length < PAGE ? undefined : ids.at(-1);
    if (ids.length === 0) return { compared: 0, suspects: [], next };
    const kept = await db
      .select({ id: payments.providerPaymentId })
      .from(payments)
      .innerJoin(orders, eq(orders.id, payments.orderId))
      .where(and(inArray(payments.orderId, ids), eq(payments.state, 'captured'), isEndedBadly(payments.generation)));
    return { compared: ids.length, suspects: kept.flatMap(({ id }) => id ?? []), next };
  };

  async function readOurs(ids: string[]): Promise<Map<string, Ours>> {
    const rows = await db
      .select({
        payment: payments,
        isAtWork: isStepAtWork({ orderId: payments.orderId, generation: payments.generation }, 'charge'),
        isEndedBadly: sql<boolean>`${isEndedBadly(payments.generation)}`,
        isKnown: sql<boolean>`exists (
          select from failures where failures.order_id = ${payments.orderId} and failures.generation = ${payments.generation}
            and (kind = 'compensation' and status in ('open', 'retrying') or kind = 'refund' and (status = 'open' or status = 'retrying' and ${isAskedLately})))`,
      })
      .from(payments)
      .innerJoin(orders, eq(orders.id, payments.orderId))
      .where(inArray(payments.providerPaymentId, ids));
    const given = await db
      .select()
      .from(refunds)
      .where(
        inArray(
          refunds.paymentId,
          rows.map(({ payment }) => payment.id),
        ),
      );
    const found = rows.map(({ payment, ...row }): [string, Ours] => {
      const all = given.filter(({ paymentId }) => paymentId === payment.id);
      const byHand = all.filter(isByHand);
      const byProvider = all.filter((refund) => !isByHand(refund));
      return [
        payment.providerPaymentId ?? '',
        {
          payment,
          ...row,
          byHand: sumOf(byHand),
          refunds: byProvider.map(({ providerRefundId, amount, status }) => ({ id: providerRefundId, amount, status })),
        },
      ];
    });
    return new Map(found);
  }

  async function readTheirs(id: string): Promise<Theirs | undefined> {
    await pace();
    const intent = await gateway.findIntent(id);
    if (!intent) return undefined;
    if (intent.received === 0) return { intent, refunds: [] };
    await pace();
    return { intent, refunds: await gateway.listRefunds(id) };
  }

  return {
    name: 'payments',
    sources: [fromIntents, fromRefunds, fromOrders],
    async compare(ids) {
      const ours = await readOurs(ids);
      const compared = await inParallel(ids, async (id) => {
        const our = ours.get(id);
        // It is about to change, and if not, a failure says so.
        if (our?.isAtWork) return undefined;
        const difference = differenceBetween(our, await readTheirs(id));
        const of = our && { orderId: our.payment.orderId, generation: our.payment.generation };
        return difference && { subject: id, ...of, ...difference };
      });
      return compared.filter((difference) => difference !== undefined);
    },
  };
}

/** At most how many of ours are looked at for one page of theirs. More are missing only if the provider has lost everything. */
const MOST = 1_000;

function differenceBetween(
  ours: Ours | undefined,
  theirs: Theirs | undefined,
): Pick<Difference, 'what' | 'ours' | 'theirs' | 'fix'> | undefined {
  const sides = { ours: ours ? oursText(ours) : 'no payment', theirs: theirs ? theirsText(theirs) : 'no payment' };
  if (!ours) return theirs && holdsMoney(theirs.intent) ? { what: 'payment_unknown', ...sides } : undefined;
  if (!theirs) return { what: 'payment_missing', ...sides };
  if (sides.ours !== sides.theirs) return { what: 'payment_differs', ...sides };
  const kept = theirs.intent.received - sumOf(theirs.refunds.filter(({ status }) => !hasFailed(status))) - ours.byHand;
  if (ours.isEndedBadly && !ours.isKnown && kept > 0) {
    return { what: 'money_kept', ours: 'the order has ended, so nothing is kept', theirs: sides.theirs, fix: 'refund_payment' };
  }
  return undefined;
}

/** Only a payment that may hold money matters if we do not know it. An intent that lost a race is never confirmed. */
const holdsMoney = ({ status }: PaymentIntent): boolean => ['succeeded', 'processing', 'requires_capture'].includes(status);

/** The state in words that both sides share. */
type State = 'open' | 'captured' | 'closed';

const STATES: Record<(typeof payments.$inferSelect)['state'], State> = {
  pending: 'open',
  captured: 'captured',
  refunded: 'captured',
  declined: 'closed',
  cancelled: 'closed',
};

const stateOf = ({ state }: typeof payments.$inferSelect): State => STATES[state];

function stateOfIntent({ status }: PaymentIntent): State {
  if (status === 'succeeded') return 'captured';
  return status === 'canceled' ? 'closed' : 'open';
}

const oursText = ({ payment, refunds: given }: Ours): string =>
  text(stateOf(payment), payment.captured, payment.amount, payment.currency, given);

const theirsText = ({ intent, refunds: given }: Theirs): string =>
  text(stateOfIntent(intent), intent.received, intent.amount, intent.currency, given);

function text(state: State, captured: number, amount: number, currency: string, given: ProviderRefund[]): string {
  const refunded = given.map((refund) => `${refund.id} ${refund.amount} ${refund.status}`).toSorted();
  return `${state}, ${captured} of ${amount} ${currency} captured; refunds: ${refunded.join(', ') || 'none'}`;
}
