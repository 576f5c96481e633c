import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Random } from './random.ts';
import type { Site } from './processes.ts';

/** What a customer orders and does, and how the order may end. */
const WISHES = {
  /** `weight`: how many of a hundred orders are of this kind. */
  'pays and waits': { weight: 52, ends: ['completed'] },
  'cancels': { weight: 16, ends: ['cancelled', 'completed'] },
  'has a card that is declined': { weight: 8, ends: ['failed'] },
  'lives nowhere': { weight: 8, ends: ['failed'] },
  'wants what is sold out': { weight: 4, ends: ['failed'] },
  'is approved': { weight: 5, ends: ['completed'] },
  'is rejected': { weight: 4, ends: ['failed'] },
  'is approved by nobody': { weight: 3, ends: ['failed'] },
} as const satisfies Record<string, { weight: number; ends: readonly string[] }>;
export type Wish = keyof typeof WISHES;
const WISH_NAMES = Object.keys(WISHES).filter((name): name is Wish => name in WISHES);

/** One customer. Times are in ms. */
export interface Customer {
  email: string;
  wish: Wish;
  /** After the start of the storm. */
  ordersAt: number;
  /** Sends the order twice at once. */
  isImpatient: boolean;
  /** How long after its order a customer cancels. */
  cancelsAfter: number;
}

/** An order that was answered 202. */
export interface PlacedOrder {
  orderId: string;
  wish: Wish;
  email: string;
}

/** Plans the customers of a storm: every wish at least once. The same seed makes the same plan. */
export function planCustomers(seed: number, count: number, within: number): Customer[] {
  const random = new Random(seed + 1);
  const lots = WISH_NAMES.flatMap((wish) => Array.from({ length: WISHES[wish].weight }, () => wish));
  const wishes = [...WISH_NAMES, ...Array.from({ length: Math.max(0, count - WISH_NAMES.length) }, () => random.pick(lots))];
  return random.shuffle(wishes.slice(0, count)).map((wish, index) => ({
    email: `customer-${index}@example.com`,
    wish,
    ordersAt: random.between(0, within),
    isImpatient: random.chance(0.25),
    cancelsAfter: random.between(0, 12_000),
  }));
}

/** @returns how an order with this wish may end */
export const endsOf = (wish: Wish): readonly string[] => WISHES[wish].ends;

const orderAnswer = z.object({ id: z.uuid(), status: z.string() });
const failuresAnswer = z.object({
  data: z.array(
    z.object({ id: z.uuid(), orderId: z.uuid().nullable(), error: z.object({ type: z.string() }) }),
  ),
});

interface Answer {
  status: number;
  body: unknown;
}

/** What customers and operators do, through the API only. Every request is repeated until it is answered. */
export function createPeople({ url, secrets }: Pick<Site, 'url' | 'secrets'>, giveUp: AbortSignal) {
  async function request(key: string, method: string, path: string, body?: object, headers = {}): Promise<Answer> {
    const init = {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    };
    for (;;) {
      giveUp.throwIfAborted();
      const answer = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.any([giveUp, AbortSignal.timeout(8_000)]) })
        .then(async (response): Promise<Answer> => ({ status: response.status, body: await response.json() }))
        .catch(() => undefined);
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      await sleep(400, undefined, { signal: giveUp });
    }
  }

  /** @throws Error if two answers to the same request name different orders, or if the order is refused */
  async function placeOrder(customer: Pick<Customer, 'email' | 'wish' | 'isImpatient'>): Promise<PlacedOrder> {
    const { email, wish, isImpatient } = customer;
    const post = () => request(secrets.customerKey, 'POST', '/v1/orders', orderOf(email, wish), { 'Idempotency-Key': email });
    const answers = await Promise.all(isImpatient ? [post(), post()] : [post()]);
    const ids = answers.map(({ status, body }) => {
      if (status !== 202) throw new Error(`The order of ${email} was answered ${status}: ${JSON.stringify(body)}`);
      return orderAnswer.parse(body).id;
    });
    const [orderId = ''] = ids;
    if (ids.some((id) => id !== orderId)) throw new Error(`One key of ${email} made several orders: ${ids.join(', ')}.`);
    return { orderId, wish, email };
  }

  const statusOf = async (orderId: string): Promise<string> =>
    orderAnswer.parse((await request(secrets.customerKey, 'GET', `/v1/orders/${orderId}`)).body).status;

  async function decide(orderId: string, decision: 'approve' | 'reject'): Promise<void> {
    for (let status = ''; status !== 'awaiting_approval'; await sleep(500, undefined, { signal: giveUp })) {
      status = await statusOf(orderId);
      if (['completed', 'failed', 'cancelled'].includes(status)) return;
    }
    await request(secrets.operatorKey, 'POST', `/v1/orders/${orderId}/approval`, { decision, reason: 'Checked by phone.' });
  }

  async function act(failureId: string, action: 'retry' | 'cancel' | 'settlement'): Promise<boolean> {
    const reason = { reason: 'The storm is over.' };
    return (await request(secrets.operatorKey, 'POST', `/v1/ops/failures/${failureId}/${action}`, reason)).status === 202;
  }

  async function openFailures(kind: 'step' | 'compensation') {
    const { body } = await request(secrets.operatorKey, 'GET', `/v1/ops/failures?status=open&kind=${kind}&limit=100`);
    return failuresAnswer.parse(body).data.flatMap(({ orderId, ...failure }) => (orderId ? [{ orderId, ...failure }] : []));
  }

  return {
    placeOrder,

    /** Places an order, and does what its wish asks for. */
    async live(customer: Customer): Promise<PlacedOrder> {
      await sleep(customer.ordersAt, undefined, { signal: giveUp });
      const placed = await placeOrder(customer);
      const { orderId, wish } = placed;
      if (wish === 'cancels') {
        await sleep(customer.cancelsAfter, undefined, { signal: giveUp });
        await request(secrets.customerKey, 'POST', `/v1/orders/${orderId}/cancellation`, { reason: 'I have changed my mind.' });
      }
      if (wish === 'is approved') await decide(orderId, 'approve');
      if (wish === 'is rejected') await decide(orderId, 'reject');
      return placed;
    },

    /**
     * Looks at the open failures once. Retries the parked orders, and settles the compensations that only a person can
     * finish: those of a parcel that has left the warehouse.
     * @param cancels whether a parked order is cancelled instead
     * @returns what was done
     */
    async operate(cancels: (orderId: string) => boolean): Promise<{ retried: number; cancelled: string[]; settled: string[] }> {
      const done = { retried: 0, cancelled: [] as string[], settled: [] as string[] };
      for (const { id, orderId } of await openFailures('step')) {
        if (!cancels(orderId)) done.retried += (await act(id, 'retry')) ? 1 : 0;
        else if (await act(id, 'cancel')) done.cancelled.push(orderId);
      }
      for (const { id, orderId, error } of await openFailures('compensation')) {
        if (error.type === 'already_shipped' && (await act(id, 'settlement'))) done.settled.push(orderId);
      }
      return done;
    },
  };
}

function orderOf(email: string, wish: Wish) {
  const isNowhere = wish === 'lives nowhere';
  const isLarge = wish === 'is approved' || wish === 'is rejected' || wish === 'is approved by nobody';
  return {
    customer: { email, name: 'Ada Lovelace' },
    shippingAddress: { line1: '1 Dorset Street', city: 'London', postalCode: isNowhere ? '00000' : 'W1U 4EG', country: 'GB' },
    items: [
      wish === 'wants what is sold out' ? { sku: 'TEA-GYOKURO-RARE', quantity: 1 } : { sku: 'TEA-EARL-GREY', quantity: 2 },
      // Five are above the threshold of an approval.
      { sku: 'CUP-PORCELAIN', quantity: isLarge ? 5 : 1 },
    ],
    payment: { method: wish === 'has a card that is declined' ? 'pm_card_visa_chargeDeclined' : 'pm_card_visa' },
  };
}
