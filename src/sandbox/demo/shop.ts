import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { bulkActionPlanSchema, bulkActionSchema } from '../../views/bulk-action.ts';
import { orderSchema } from '../../views/order.ts';
import { signupSchema } from '../../views/signup.ts';
import { ApiProblem, callApi } from '../call-api.ts';
import type { Scenario } from './scenarios.ts';
import { eventually } from './patience.ts';

const mailSchema = z.object({ id: z.string(), subject: z.string(), text: z.string(), receivedAt: z.string() });
const inboxSchema = z.object({ messages: z.array(mailSchema) });

export type DemoOrder = z.infer<typeof orderSchema>;

/** The addresses of a running stack, and the API keys to it. */
export interface Access {
  apiUrl: string;
  inboxUrl: string;
  warehouseUrl: string;
  customerKey: string;
  supportKey: string;
  operatorKey: string;
}

export type Shop = ReturnType<typeof openShop>;

/** Acts as a customer, a support employee and an operator, through the API alone. */
export function openShop(access: Access) {
  const call = <Answer>(schema: z.ZodType<Answer>, key: string, path: string, body?: object): Promise<Answer> =>
    callApi(access.apiUrl, { path, key, ...(body && { body, idempotencyKey: randomUUID() }) }, schema);

  // Another one in each run: a few runs would have so many declined cards that the orders would wait for a review.
  const customer = { email: `demo-${randomUUID().slice(0, 8)}@example.com`, name: 'Demo Customer' };
  const parked = { kind: 'step', customerEmail: customer.email };
  const reason = 'part of the demo';

  /** @returns the emails to an address or with a subject, newest first */
  const mails = async (search: { to?: string; subject?: string }): Promise<z.infer<typeof mailSchema>[]> => {
    const answer = await fetch(new URL(`/api/messages?${new URLSearchParams(search).toString()}`, access.inboxUrl));
    return inboxSchema.parse(await answer.json()).messages;
  };

  return {
    async place({ items, method = 'pm_card_visa', postalCode = 'SW1Y 4JH' }: Scenario): Promise<DemoOrder> {
      const body = {
        customer,
        shippingAddress: { line1: '12 St James Square', city: 'London', postalCode, country: 'GB' },
        items,
        payment: { method },
      };
      return await call(orderSchema, access.customerKey, '/v1/orders', body);
    },

    /** Reads an order again, as support does: customers are not told where its run is. */
    look: (id: string): Promise<DemoOrder> => call(orderSchema, access.supportKey, `/v1/orders/${id}`),

    /** Cancels an order, or decides about it. If it comes too late, the order continues. */
    async act(id: string, action: NonNullable<Scenario['afterwards']>['action']): Promise<void> {
      try {
        if (action === 'cancel') await call(orderSchema, access.customerKey, `/v1/orders/${id}/cancellation`, { reason });
        else await call(orderSchema, access.supportKey, `/v1/orders/${id}/approval`, { decision: action, reason });
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status !== 409) throw error;
      }
    },

    /** Signs up and takes the signup to the wanted status, with the token from the inbox. @returns the final status */
    async signUp(wanted: 'pending_verification' | 'trial' | 'subscribed'): Promise<string> {
      const email = `demo-${randomUUID().slice(0, 8)}@example.com`;
      const { id } = await call(signupSchema, access.customerKey, '/v1/signups', { email, name: 'Demo Person' });
      const look = async () => (await call(signupSchema, access.customerKey, `/v1/signups/${id}`)).status;
      if (wanted === 'pending_verification') return await look();
      const token = await eventually(async () => /^[\w-]{43}$/m.exec((await mails({ to: email }))[0]?.text ?? '')?.[0]);
      await call(z.unknown(), access.customerKey, `/v1/signups/${id}/verification`, { token });
      await eventually(async () => ((await look()) === 'trial' ? true : undefined));
      if (wanted === 'subscribed') await call(signupSchema, access.customerKey, `/v1/signups/${id}/subscription`, {});
      return await look();
    },

    /** @returns what a retry of all parked orders of this run would do */
    planRetry: () =>
      call(bulkActionPlanSchema, access.operatorKey, '/v1/ops/bulk-actions', { action: 'retry', filter: parked, reason, dryRun: true }),

    /** Retries all parked orders of this run, in one bulk action. */
    retryParked: () => call(bulkActionSchema, access.operatorKey, '/v1/ops/bulk-actions', { action: 'retry', filter: parked, reason }),

    bulkAction: (id: string) => call(bulkActionSchema, access.operatorKey, `/v1/ops/bulk-actions/${id}`),

    /** @returns the alerts to the people on call, newest first, and where the inbox shows each */
    alerts: async () => (await mails({ subject: '[Holdfast]' })).map((mail) => ({ ...mail, url: `${access.inboxUrl}/messages/${mail.id}` })),

    /** Where a person sees an order. */
    linksTo: ({ id, links }: DemoOrder): [string, string][] => [
      ['the order', `${access.apiUrl}/?order=${id}`],
      ['operator’s page', `${access.apiUrl}/ops/orders/${id}`],
      ...(links.workflow === undefined ? [] : [['its run', links.workflow] satisfies [string, string]]),
    ],

    linkToBulkAction: (id: string): string => `${access.apiUrl}/ops/bulk-actions/${id}`,
  };
}
