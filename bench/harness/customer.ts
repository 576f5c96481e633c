import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Side } from './side.ts';

/** What every measure orders: one item, paid by card, that takes the happy path. */
export const ORDER = {
  customer: { email: 'bench@example.com', name: 'Ada Lovelace' },
  shippingAddress: { line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' },
  items: [{ sku: 'TEA-EARL-GREY', quantity: 1 }],
  payment: { method: 'pm_card_visa' },
};

/** The token in a verification email: part of its link, and of a JSON body in the emails of earlier versions, which may be the baseline. */
const TOKEN = /(?:\/my\/signups\/[^/\s]+\/|"token":")([\w-]+)/;

const accepted = z.object({ id: z.uuid() });
const inbox = z.object({ messages: z.array(z.object({ text: z.string().nullable() })) });

/** Acts as a customer of a side. @returns the answer. @throws Error unless it is a success */
export async function request(side: Side, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${side.url}${path}`, {
    method: 'POST',
    headers: {
      'authorization': `Bearer ${side.keys.customerKey}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${side.name} answered ${response.status} to ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

/** @returns the id of the order */
export const placeOrder = async (side: Side): Promise<string> => accepted.parse(await request(side, '/v1/orders', ORDER)).id;

/** Signs up, verifies the address with the token in the email, and subscribes. @returns the id of the signup */
export async function signUpAndSubscribe(side: Side): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  const { id } = accepted.parse(await request(side, '/v1/signups', { email, name: 'Ada Lovelace' }));
  const token = await eventually('verification email', async () => {
    const answer = await fetch(`${side.inboxUrl}/api/messages?to=${encodeURIComponent(email)}`);
    return TOKEN.exec(inbox.parse(await answer.json()).messages[0]?.text ?? '')?.[1];
  });
  await request(side, `/v1/signups/${id}/verification`, { token });
  // Asked directly: looking through the API would add to what is counted.
  await eventually('trial', async () => {
    const [row] = await side.sql<{ status: string }[]>`select status from signups where id = ${id}`;
    return row?.status === 'trial' || undefined;
  });
  await request(side, `/v1/signups/${id}/subscription`, {});
  return id;
}

/** Looks again until there is something. @param what names it in the error if there is nothing after a minute */
export async function eventually<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`There was no ${what} within a minute.`);
}
