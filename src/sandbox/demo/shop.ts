import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { FINAL_ORDER_STATUSES, ORDER_STATUSES, type OrderStatus } from '../../contracts/statuses.ts';
import type { faultSchema } from '../simulators/faults.ts';
import type { Scenario } from './scenarios.ts';

const orderSchema = z.object({
  id: z.string(),
  status: z.enum(ORDER_STATUSES),
  total: z.object({ amount: z.number(), currency: z.string() }),
  payment: z.object({ captured: z.number(), refunded: z.number() }).nullable(),
  failure: z.object({ type: z.string() }).nullable(),
});
const signupSchema = z.object({ id: z.string(), status: z.string() });
const inboxSchema = z.object({ messages: z.array(z.object({ text: z.string().nullable() })) });

export type DemoOrder = z.infer<typeof orderSchema>;

/** The addresses of a running stack, and the API keys to it. */
export interface Access {
  apiUrl: string;
  inboxUrl: string;
  warehouseUrl: string;
  customerKey: string;
  supportKey: string;
}

export type Shop = ReturnType<typeof openShop>;

/** Acts as a customer and as a support employee, through the API alone. */
export function openShop(access: Access) {
  async function call(key: string, method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(new URL(path, access.apiUrl), {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body ? { 'content-type': 'application/json', 'idempotency-key': randomUUID() } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer: unknown = await response.json();
    // A cancellation may come too late. The API then answers 409 and the order continues.
    if (!response.ok && response.status !== 409) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  // Another one in each run: a few runs would have so many declined cards that the orders would wait for a review.
  const customer = { email: `demo-${randomUUID().slice(0, 8)}@example.com`, name: 'Demo Customer' };

  return {
    async place({ items, method = 'pm_card_visa', postalCode = 'SW1Y 4JH' }: Scenario): Promise<DemoOrder> {
      const body = {
        customer,
        shippingAddress: { line1: '12 St James Square', city: 'London', postalCode, country: 'GB' },
        items,
        payment: { method },
      };
      return orderSchema.parse(await call(access.customerKey, 'POST', '/v1/orders', body));
    },

    /** Reads an order again. */
    look: async (id: string): Promise<DemoOrder> =>
      orderSchema.parse(await call(access.customerKey, 'GET', `/v1/orders/${id}`)),

    async act(id: string, action: NonNullable<Scenario['afterwards']>['action']): Promise<void> {
      const reason = 'part of the demo';
      if (action === 'cancel') await call(access.customerKey, 'POST', `/v1/orders/${id}/cancellation`, { reason });
      else await call(access.supportKey, 'POST', `/v1/orders/${id}/approval`, { decision: action, reason });
    },

    /** Signs up and takes the signup to the wanted status, with the token from the inbox. @returns the final status */
    async signUp(wanted: 'pending_verification' | 'trial' | 'subscribed'): Promise<string> {
      const email = `demo-${randomUUID().slice(0, 8)}@example.com`;
      const body = { email, name: 'Demo Person' };
      const { id } = signupSchema.parse(await call(access.customerKey, 'POST', '/v1/signups', body));
      const look = async () =>
        signupSchema.parse(await call(access.customerKey, 'GET', `/v1/signups/${id}`)).status;
      if (wanted === 'pending_verification') return await look();
      const token = await eventually(async () => {
        const answer = await fetch(new URL(`/api/messages?to=${encodeURIComponent(email)}`, access.inboxUrl));
        const { messages } = inboxSchema.parse(await answer.json());
        return /^[\w-]{43}$/m.exec(messages[0]?.text ?? '')?.[0];
      });
      await call(access.customerKey, 'POST', `/v1/signups/${id}/verification`, { token });
      await eventually(async () => ((await look()) === 'trial' ? true : undefined));
      if (wanted === 'subscribed') await call(access.customerKey, 'POST', `/v1/signups/${id}/subscription`, {});
      return await look();
    },

    /** Sets a fault of the warehouse, or clears it. */
    async setWarehouseFault(fault: z.input<typeof faultSchema> | undefined): Promise<void> {
      const set = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault) };
      await fetch(new URL('/_sandbox/faults', access.warehouseUrl), fault ? set : { method: 'DELETE' });
    },
  };
}

/** @returns whether the demo need not wait for this order any longer */
export const hasEnded = (status: OrderStatus): boolean =>
  FINAL_ORDER_STATUSES.includes(status) || status === 'needs_attention';

async function eventually<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (let tries = 0; tries < 150; tries += 1) {
    const value = await look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('Nothing happened within 30 s.');
}
