import { asc, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { failures } from '../../src/db/schema.ts';
import { insertEarlierOrder, useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 17 });

const KEY = '0197d0a0-0000-7000-8000-00000000000a';
const ORDER = '0197d0a0-0000-7000-8000-00000000000b';
const SIGNUP = '0197d0a0-0000-7000-8000-00000000000c';

it('lets the emails that failed before be sent again: of several with one name, the first that was not sent', async () => {
  await insertEarlierOrder(db, { id: ORDER, key: KEY, generation: 2, status: 'fulfilling' });
  await db.execute(sql`insert into signups (id, owner, email, name, status) values (${SIGNUP}, ${KEY}, 'a@example.com', 'A', 'pending_verification')`);
  for (const [key, orderId, signupId] of [
    [`order:${ORDER}:2:email:late_shipment:1`, ORDER, null],
    [`order:${ORDER}:2:email:late_shipment:3`, ORDER, null],
    [`signup:${SIGNUP}:email:verification_reminder:1`, null, SIGNUP],
  ]) {
    await db.execute(sql`insert into emails (key, template, recipient, subject, order_id, signup_id)
      values (${key}, 't', 'a@example.com', 's', ${orderId}, ${signupId})`);
  }
  for (const [kind, status, orderId, signupId, generation, step] of [
    ['email', 'open', ORDER, null, 2, 'order_confirmed'],
    ['email', 'open', ORDER, null, 2, 'late_shipment'],
    ['email', 'open', null, SIGNUP, null, 'verification_reminder'],
    ['email', 'settled', ORDER, null, 1, 'order_failed'],
    ['step', 'open', ORDER, null, 2, 'ship'],
  ]) {
    await db.execute(sql`insert into failures (id, kind, status, workflow_id, order_id, signup_id, generation, step, error_type, error_message, attempts)
      values (gen_random_uuid(), ${kind}, ${status}, ${orderId ?? signupId}, ${orderId}, ${signupId}, ${generation}, ${step}, 'e', 'm', 3)`);
  }

  await migrate(url);

  const rows = await db.select().from(failures).orderBy(asc(failures.step));
  expect(rows.map(({ step, emailKey }) => ({ step, emailKey }))).toEqual([
    { step: 'late_shipment', emailKey: `order:${ORDER}:2:email:late_shipment:2` },
    { step: 'order_confirmed', emailKey: `order:${ORDER}:2:email:order_confirmed:1` },
    { step: 'order_failed', emailKey: null },
    { step: 'ship', emailKey: null },
    { step: 'verification_reminder', emailKey: `signup:${SIGNUP}:email:verification_reminder:2` },
  ]);
});
