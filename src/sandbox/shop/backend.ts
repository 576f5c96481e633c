import { z } from 'zod';
import { Links } from '../../views/links.ts';
import { orderSchema } from '../../views/order.ts';
import { pageOf } from '../../views/page.ts';
import { signupSchema } from '../../views/signup.ts';
import { sagaStepSchema } from '../../views/story.ts';
import { ApiProblem, callApi, requestApi, type ApiRequest } from '../call-api.ts';
import { readFault, setFault } from '../fault-panels.ts';
import type { Fault } from '../simulators/faults.ts';
import { FAULT_CHOICES, SERVICES, type FaultChoice, type Service } from './services.ts';
import type { ShopSettings } from './settings.ts';

const productsSchema = z.object({
  data: z.array(
    z.object({ sku: z.string(), name: z.string(), price: z.object({ amount: z.int(), currency: z.string() }), available: z.int() }),
  ),
});
const messageSchema = z.object({ id: z.string(), to: z.array(z.string()), subject: z.string(), text: z.string() });
const inboxSchema = z.object({ messages: z.array(messageSchema) });

export type Product = z.infer<typeof productsSchema>['data'][number];
export type Order = z.infer<typeof orderSchema>;
export type Step = z.infer<typeof sagaStepSchema>;
export type Signup = z.infer<typeof signupSchema>;
/** An email, and where the inbox shows it. */
export type Mail = { subject: string; url: string };
/** `fault` is undefined if the service does not answer. */
export type ServiceState = { service: Service; url: string; fault: Fault | null | undefined };

/** How many orders the list of recent ones has. */
const RECENT = 8;

export type Backend = ReturnType<typeof createBackend>;

/** The shop's own server: it calls the API with the shop's key, on behalf of visitors who have none. */
export function createBackend({ apiUrl, customerKey, inboxUrl, temporalUiUrl, namespace, ...simulators }: ShopSettings) {
  const temporal = temporalUiUrl === null ? undefined : new Links(temporalUiUrl, namespace);
  const urls: Record<Service, string | null> = { warehouse: simulators.warehouseUrl, payments: simulators.paymentsUrl };
  const call = <Answer>(schema: z.ZodType<Answer>, path: string, rest: Omit<ApiRequest, 'path' | 'key'> = {}): Promise<Answer> =>
    callApi(apiUrl, { path, key: customerKey, ...rest }, schema);

  return {
    /** @returns the catalogue, the cheapest first */
    products: async () => (await call(productsSchema, '/v1/products')).data.toSorted((one, other) => one.price.amount - other.price.amount),

    recentOrders: async () => (await call(pageOf(orderSchema), `/v1/orders?limit=${RECENT}`)).data,

    /** @returns an order with its steps, or undefined if there is no such order */
    order: (id: string) =>
      unlessMissing(async () => {
        const path = `/v1/orders/${encodeURIComponent(id)}`;
        const [order, steps] = await Promise.all([call(orderSchema, path), call(z.object({ data: z.array(sagaStepSchema) }), `${path}/saga`)]);
        return { order, steps: steps.data };
      }),

    placeOrder: (body: object, idempotencyKey: string) => call(orderSchema, '/v1/orders', { body, idempotencyKey }),

    cancelOrder: (id: string) =>
      call(orderSchema, `/v1/orders/${encodeURIComponent(id)}/cancellation`, { body: { reason: 'The customer changed their mind.' } }),

    /** @returns the API's own stream of the statuses of an order. A browser that comes back resumes it with `Last-Event-ID`. */
    followOrder: (id: string, lastEventId: string | undefined) =>
      requestApi(apiUrl, {
        path: `/v1/orders/${encodeURIComponent(id)}/events`,
        key: customerKey,
        headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      }),

    signup: (id: string) => unlessMissing(() => call(signupSchema, `/v1/signups/${encodeURIComponent(id)}`)),

    signUp: (body: object, idempotencyKey: string) => call(signupSchema, '/v1/signups', { body, idempotencyKey }),

    verify: (id: string, token: string) => call(z.unknown(), `/v1/signups/${encodeURIComponent(id)}/verification`, { body: { token } }),

    subscribe: (id: string) => call(signupSchema, `/v1/signups/${encodeURIComponent(id)}/subscription`, { body: {} }),

    /** @returns where Temporal's Web UI shows a run; undefined if the stack does not run it */
    runUrl: (workflowId: string): string | undefined => temporal?.workflow(workflowId),

    /** @returns the emails that match, oldest first. None if the inbox does not answer, or is a real one. */
    async mails(matches: (message: z.infer<typeof messageSchema>) => boolean): Promise<Mail[]> {
      if (inboxUrl === null) return [];
      const answer = await fetch(new URL('/api/messages', inboxUrl)).then((response) => response.json()).catch(() => undefined);
      const { data } = inboxSchema.safeParse(answer);
      return (data?.messages ?? [])
        .filter(matches)
        .map(({ id, subject }) => ({ subject, url: `${inboxUrl}/messages/${id}` }))
        .toReversed();
    },

    /** @returns the services that can be broken, and their faults */
    services: (): Promise<ServiceState[]> =>
      Promise.all(
        SERVICES.flatMap((service) => {
          const url = urls[service];
          return url === null ? [] : [readFault(url).catch(() => undefined).then((fault) => ({ service, url, fault }))];
        }),
      ),

    async breakService(service: Service, choice: FaultChoice): Promise<void> {
      const url = urls[service];
      if (url !== null) await setFault(url, FAULT_CHOICES[choice].fault(service));
    },
  };
}

/** @returns undefined if the API answers that it does not exist, or that its id cannot be one */
async function unlessMissing<Answer>(load: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof ApiProblem && [404, 422].includes(error.status)) return undefined;
    throw error;
  }
}
