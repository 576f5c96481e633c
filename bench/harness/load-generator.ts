// Sends requests over keep-alive connections: one load for each line of standard input, and a line for each result. It shares
// the machine with what it measures, so it does as little as it can for each request.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Client } from 'undici';
import type { z } from 'zod';
import { ORDER } from './customer.ts';
import { loadOptionsSchema, percentile, type LoadResult } from './load.ts';

/** Each order is of another customer. The address says when it was sent, in ms since 1970, for measures of what follows. */
const [before, after] = JSON.stringify(ORDER).split(ORDER.customer.email);

async function run({ url, path, key, count, clients, rate }: z.output<typeof loadOptionsSchema>): Promise<LoadResult> {
  /** Makes addresses and keys of this load unlike those of any other. */
  const load = randomUUID();
  const body = (index: number) =>
    path === '/v1/orders' ? `${before}${Date.now()}.${index}@example.com${after}` : `{"email":"${load}-${index}@example.com","name":"Ada Lovelace"}`;
  const times = new Float64Array(count);
  const statuses = new Map<number, number>();
  let sent = 0;
  let answered = 0;
  let done: () => void;
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });

  /** @param began when it was due @param next called once it is answered */
  function send(client: Client, index: number, began: number, next: () => void): void {
    let status = 0;
    const end = () => {
      times[index] = performance.now() - began;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      answered += 1;
      if (answered === count) done();
      next();
    };
    const headers = {
      'authorization': `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': `${load}-${index}`,
    };
    client.dispatch(
      { method: 'POST', path, headers, body: body(index) },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData() {},
        onResponseEnd: end,
        onResponseError() {
          status = 0;
          end();
        },
      },
    );
  }

  const pool = Array.from({ length: clients }, () => new Client(url, { pipelining: 1 }));
  const idle = process.cpuUsage();
  const started = performance.now();
  if (rate === undefined) {
    const work = (client: Client): void => {
      if (sent < count) send(client, sent++, performance.now(), () => work(client));
    };
    pool.forEach(work);
  } else {
    // A time counts from when its request was due, so that one slow answer does not hide those waiting behind it.
    const due = (index: number) => started + (index * 1_000) / rate;
    const timer = setInterval(() => {
      for (; sent < count && due(sent) <= performance.now(); sent += 1) {
        const client = pool[sent % pool.length];
        if (client) send(client, sent, due(sent), () => {});
      }
      if (sent === count) clearInterval(timer);
    }, 1);
  }
  await finished;
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(idle);
  await Promise.all(pool.map((client) => client.close()));

  times.sort();
  const accepted = statuses.get(202) ?? 0;
  statuses.delete(202);
  return {
    accepted,
    refused: Object.fromEntries(statuses),
    seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    times: Array.from(times, (time) => Number(time.toFixed(1))),
    cpu: (user + system) / 1e6,
  };
}

for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(await run(loadOptionsSchema.parse(JSON.parse(line)))));
}
