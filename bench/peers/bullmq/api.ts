// Accepts orders and signups with the edge of Holdfast (its server, schemas, key check and request log), then writes a row
// and adds a job.
import { z } from '@hono/zod-openapi';
import { Queue } from 'bullmq';
import { Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import { newOrderSchema } from '../../../src/api/routes/create-order.ts';
import { newSignupSchema } from '../../../src/api/routes/create-signup.ts';
import { acceptingRoute, createEdge } from '../edge.ts';

const variables = z
  .object({ DATABASE_URL: z.string(), REDIS_PORT: z.coerce.number(), API_PORT: z.coerce.number() })
  .parse(process.env);
// As many connections as the API of Holdfast has.
const pool = new Pool({ connectionString: variables.DATABASE_URL, max: 20 });
await pool.query('create table jobs (id uuid primary key, kind text not null, body jsonb not null, created_at timestamptz not null default now())');
// As BullMQ advises where a person waits: fail at once when Redis is away.
const connection = { port: variables.REDIS_PORT, enableOfflineQueue: false };
const queues = { orders: new Queue('orders', { connection }), signups: new Queue('signups', { connection }) };
await Promise.all([queues.orders.waitUntilReady(), queues.signups.waitUntilReady()]);
const { api, serve } = createEdge('bullmq', variables.DATABASE_URL);

/** Accepts one request. @returns the id under which it was stored */
async function accept(kind: keyof typeof queues, body: object): Promise<string> {
  const id = uuid();
  await pool.query({
    name: 'insert-job',
    text: 'insert into jobs (id, kind, body) values ($1, $2, $3)',
    values: [id, kind, JSON.stringify(body)],
  });
  await queues[kind].add(kind, { id }, { jobId: id, attempts: 5, backoff: { type: 'exponential', delay: 1_000 } });
  return id;
}

async function count(kind: keyof typeof queues): Promise<{ rows: number; jobs: number }> {
  const { rows } = await pool.query<{ count: number }>('select count(*)::int from jobs where kind = $1', [kind]);
  const jobs = await queues[kind].getJobCountByTypes('waiting', 'active', 'delayed', 'completed', 'failed');
  return { rows: rows[0]?.count ?? 0, jobs };
}

/** What was accepted, to compare with what the clients were told. */
api.get('/accepted', async (c) => c.json({ orders: await count('orders'), signups: await count('signups') }));

api.openapi(acceptingRoute('/v1/orders', newOrderSchema), async (c) => {
  const id = await accept('orders', c.req.valid('json'));
  return c.json({ id, status: 'accepted' }, 202, { Location: `/v1/orders/${id}` });
});
api.openapi(acceptingRoute('/v1/signups', newSignupSchema), async (c) => {
  const id = await accept('signups', c.req.valid('json'));
  return c.json({ id, status: 'pending_verification' }, 202, { Location: `/v1/signups/${id}` });
});

await serve(variables.API_PORT);
