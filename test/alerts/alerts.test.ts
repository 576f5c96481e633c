import { Client, Connection } from '@temporalio/client';
import { eq, isNotNull, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createAlerter, type Alerter, type AlerterOptions } from '../../src/alerts/alerter.ts';
import { configureAlerter } from '../../src/alerts/configured.ts';
import { clockTime } from '../../src/alerts/trouble.ts';
import { loadWorkerConfig } from '../../src/config.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { connectDatabase } from '../../src/db/client.ts';
import { alertMessages, alerts, commands, failureEvents, failures, serviceProbes } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import type { NewFailure } from '../../src/records/failures.ts';
import { openFailureOf } from '../support/failures.ts';
import { keepLog } from '../support/kept-log.ts';
import { useShop } from '../support/shop.ts';
import { useReceiver } from './support/receiver.ts';

// Each look waits some seconds for a Temporal that is away.
vi.setConfig({ testTimeout: 120_000 });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const EVENTUALLY = { timeout: 30_000, interval: 20 };
const ON_CALL = 'oncall@holdfast.example';

const shop = await useShop();
const { db } = shop;
const slack = await useReceiver();

/** Temporal does not answer: alerts need nothing but Postgres. */
const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1', interceptors: [] }) });
let skipped = 0;
const now = () => Promise.resolve(new Date(Date.now() + skipped));
const createOne = () =>
  configureAlerter(loadWorkerConfig({ ...shop.environment, ALERT_SLACK_URL: slack.url, ALERT_DIGEST_EVERY: '6h' }), {
    db,
    client,
    log: shop.log,
    now,
  });
const alerter = createOne();

/** @returns an alerter with gateways of the test's own */
const createWith = (parts: Partial<AlerterOptions>): Alerter =>
  createAlerter({
    db,
    client,
    log: shop.log,
    now,
    channels: ['slack'],
    publicUrl: 'https://shop.example',
    onCallEmail: ON_CALL,
    timeZone: 'Europe/Berlin',
    backlogAfter: 5 * MINUTE,
    digestEvery: 6 * 60 * MINUTE,
    ...parts,
  });

/** Looks after some time has passed. */
async function after(ms: number, which: Alerter = alerter): Promise<void> {
  skipped += ms;
  await which.look();
}

let seen = 0;
beforeEach(async () => {
  shop.heal();
  slack.answerWith(204);
  for (const table of [alertMessages, alerts, failureEvents, failures, commands, serviceProbes]) await db.delete(table);
  seen = shop.inbox.messages({ to: ON_CALL }).length;
});

/** @returns the alerts of this test, oldest first */
const mails = () => shop.inbox.messages({ to: ON_CALL }).toReversed().slice(seen);
const subjects = () => mails().map(({ subject }) => subject.replace(/\d\d:\d\d CES?T( on \d+ \w+)?/, 'HH:MM'));

async function open(count: number, changes: Partial<NewFailure> = {}): Promise<void> {
  for (let index = 0; index < count; index += 1) await openFailureOf(db, await shop.placeOrder(), changes);
  // What placing an order writes is not what these tests are about.
  await db.delete(commands);
}
const closeAll = () => db.update(failures).set({ status: 'resolved' });
const makeDue = () => db.update(alertMessages).set({ nextAttemptAt: sql`now()` });

describe('an alert', () => {
  it('waits until its count is true, and says how many, how much, what and since when', async () => {
    await open(2);
    await after(0);
    expect(mails()).toEqual([]);
    await open(1);
    await after(25 * SECOND);
    const [{ since } = { since: new Date() }] = await db.select().from(alerts);
    const at = clockTime(since, { now: await now(), timeZone: 'Europe/Berlin' });
    expect(mails().map(({ subject }) => subject)).toEqual([
      `[Holdfast] 3 orders (€53.40) parked at shipping: the warehouse has not answered since ${at}`,
    ]);
    expect(mails()[0]?.text).toContain('Each waits for a decision');
    expect(mails()[0]?.text).toContain('Last error: down (warehouse_unavailable)');
    expect(mails()[0]?.text).toContain('/ops/failures?status=open&kind=step&step=ship&errorType=warehouse_unavailable');
  });

  it('is sent again at ten times the count, in a digest after hours, and when it is over', async () => {
    await open(1);
    await after(0);
    await after(25 * SECOND);
    await open(8);
    await after(MINUTE);
    expect(subjects()).toHaveLength(1);
    await open(1);
    await after(MINUTE);
    await after(MINUTE);
    expect(subjects().slice(1)).toEqual([expect.stringMatching(/^\[Holdfast\] Now 10 orders /)]);
    await after(6 * 60 * MINUTE);
    expect(subjects().slice(2)).toEqual([expect.stringMatching(/^\[Holdfast\] Still 10 orders /)]);
    await closeAll();
    await after(SECOND);
    await after(20 * SECOND);
    expect(subjects().slice(3)).toEqual(['[Holdfast] Resolved: no more orders parked at shipping']);
    expect(mails()[3]?.text).toMatch(/^Before: 10 orders .*\. At its peak: 10\.$/m);
  });

  it('is a new one for the next outage, and none for trouble that is over at once', async () => {
    await open(1);
    await after(0);
    await closeAll();
    await after(5 * SECOND);
    await after(MINUTE);
    expect(subjects()).toEqual([]);
    await open(1);
    await after(0);
    await after(25 * SECOND);
    await closeAll();
    await after(0);
    await after(20 * SECOND);
    await open(2);
    await after(MINUTE);
    await after(25 * SECOND);
    expect(subjects()).toMatchObject([/ 1 order /, /Resolved/, / 2 orders /].map((words) => expect.stringMatching(words)));
    expect(await db.$count(alerts)).toBe(2);
  });

  it('is not over while everything is being retried', async () => {
    await open(1);
    await after(0);
    await after(25 * SECOND);
    await db.update(failures).set({ status: 'retrying' });
    await after(MINUTE);
    await after(MINUTE);
    await db.update(failures).set({ status: 'open' });
    await after(MINUTE);
    expect(subjects()).toHaveLength(1);
  });

  it('about compensations says that no decision is awaited', async () => {
    await open(2, { kind: 'compensation', step: 'charge', errorType: 'payment_unavailable', errorMessage: 'No answer.' });
    await after(0);
    await after(25 * SECOND);
    expect(subjects()).toEqual(['[Holdfast] 2 refunds (€35.60) failing: the payment provider has not answered since HH:MM']);
    expect(mails()[0]?.text).toContain('No decision is awaited');
    expect(mails()[0]?.text).not.toContain('Each waits');
  });

  it('says the error if the service did answer, and nothing about persons', async () => {
    await open(1, { errorType: 'invalid_request', errorMessage: 'The warehouse rejected the request (400).' });
    await after(0);
    await after(25 * SECOND);
    expect(subjects()).toEqual([
      '[Holdfast] 1 order (€17.80) parked at shipping: The warehouse rejected the request (400), since HH:MM',
    ]);
    expect(JSON.stringify([mails(), slack.received])).not.toMatch(/ada@example|Lovelace|Dorset/);
  });

  it('says the latest error', async () => {
    await open(1, { errorMessage: 'The warehouse did not answer.' });
    await open(1, { errorMessage: 'Connection refused.' });
    await after(0);
    await after(25 * SECOND);
    expect(mails()[0]?.text).toContain('Last error: Connection refused.');
  });

  it('that goes on after the service is back says so, and advises to retry', async () => {
    await open(2);
    const columns = { service: 'warehouse' as const, nextProbeAt: sql`now()`, lastFailureAt: sql`now()`, answeringSince: null };
    await db.insert(serviceProbes).values(columns);
    await after(0);
    await after(25 * SECOND);
    expect(subjects()[0]).toContain('the warehouse has not answered since HH:MM');
    await db.update(serviceProbes).set({ answeringSince: sql`now()`, lastSuccessAt: sql`now()` });
    await after(6 * 60 * MINUTE);
    expect(subjects()[1]).toContain('Still 2 orders (€35.60) parked at shipping: the warehouse has answered again since HH:MM');
    expect(mails()[1]?.text).toContain('retry them together now');
    // A retry failed meanwhile.
    await db.update(failures).set({ lastSeenAt: sql`now()` });
    await after(6 * 60 * MINUTE);
    expect(subjects()[2]).toContain('the warehouse has not answered since HH:MM');
    // The probes are old.
    await db.update(serviceProbes).set({ answeringSince: sql`now()`, lastSuccessAt: sql`now() - interval '1 hour'` });
    await after(6 * 60 * MINUTE);
    expect(subjects()[3]).toContain('the warehouse has not answered since HH:MM');
  });

  it('about a late shipment is none: operations gets a reminder', async () => {
    await open(1, { kind: 'late_shipment', errorType: 'late_shipment' });
    await after(0);
    await after(MINUTE);
    expect(await db.$count(alerts)).toBe(0);
  });
});

describe('a message', () => {
  it('is written and sent once, though several processes look at once', async () => {
    const others = [alerter, createOne(), createOne(), createOne()];
    await open(3);
    for (const wait of [0, 25 * SECOND, SECOND]) {
      skipped += wait;
      await Promise.all(others.map(({ look }) => look()));
    }
    expect(subjects()).toHaveLength(1);
    expect(await db.select({ channel: alertMessages.channel, state: alertMessages.state }).from(alertMessages)).toMatchObject([
      { state: 'sent' },
      { state: 'sent' },
    ]);
    for (const other of others.slice(1)) other.close();
  });

  it('that its process did not live to send is sent by another, and a copy has the same id', async () => {
    await open(1);
    await after(0);
    await after(25 * SECOND);
    // The process died after the mail server had accepted the mail, and before it could say so.
    await db.update(alertMessages).set({ state: 'pending', nextAttemptAt: sql`now() + interval '1 minute'` }).where(eq(alertMessages.channel, 'email'));
    await after(SECOND);
    expect(mails()).toMatchObject([{ copies: 1 }]);
    await makeDue();
    await after(SECOND);
    // The inbox knows it by its Message-ID.
    expect(mails()).toMatchObject([{ copies: 2 }]);
  });

  it('is kept while its channel does not take it, and comes before the later ones', async () => {
    slack.answerWith(503);
    const before = slack.received.length;
    await open(1);
    await after(0);
    await after(25 * SECOND);
    await closeAll();
    await after(SECOND);
    await after(20 * SECOND);
    expect(subjects()).toHaveLength(2);
    slack.answerWith(204);
    for (let round = 0; round < 2; round += 1) {
      await makeDue();
      await after(SECOND);
    }
    const texts = slack.received.slice(before).map(({ body }) => body);
    expect(texts.at(-2)).toContain('1 order');
    expect(texts.at(-1)).toContain('Resolved');
    expect(await db.$count(alertMessages, eq(alertMessages.state, 'pending'))).toBe(0);
  });

  it('that takes longer than its process may send it counts as sent, though another has tried it meanwhile', async () => {
    const answers: (() => void)[] = [];
    const slow = createWith({ slack: { post: () => new Promise((resolve) => answers.push(resolve)) } });
    const other = createWith({ slack: { post: () => Promise.reject(new Error('busy')) } });
    await open(1);
    await after(0, slow);
    const sending = after(25 * SECOND, slow);
    await expect.poll(() => answers.length, EVENTUALLY).toBe(1);
    await makeDue();
    await after(0, other);
    answers[0]?.();
    await sending;
    const { state, attempts } = alertMessages;
    expect(await db.select({ state, attempts }).from(alertMessages)).toEqual([{ state: 'sent', attempts: 2 }]);
  });

  it('is written and sent although another channel does not answer', async () => {
    const posted: string[] = [];
    // Before anybody looks: to the clock of this test, its command has waited for hours.
    await open(1);
    const { stop } = createWith({
      channels: ['email', 'slack'],
      mail: { send: () => new Promise(() => {}), close: () => {} },
      slack: {
        post: ({ title }) => {
          posted.push(title);
          return Promise.resolve();
        },
      },
    }).run();
    await expect.poll(() => db.$count(alerts), EVENTUALLY).toBe(1);
    skipped += 25 * SECOND;
    await expect.poll(() => posted, EVENTUALLY).toEqual([expect.stringContaining('1 order')]);
    await closeAll();
    await expect.poll(() => db.$count(alerts, isNotNull(alerts.quietSince)), EVENTUALLY).toBe(1);
    skipped += 20 * SECOND;
    await expect.poll(() => posted.at(-1), EVENTUALLY).toContain('Resolved');
    await stop();
  });

  it('is not in the log when Postgres is away', async () => {
    const gone = connectDatabase(shop.environment.DATABASE_URL, { max: 1, name: 'test' });
    await gone.close();
    const { log, lines } = keepLog('info');
    await createWith({ db: gone.db, log, slack: { post: () => Promise.resolve() } }).look();
    expect(lines.join('')).toContain('alerts could not be sent');
    expect(lines.join('')).not.toContain('alert_messages');
  });
});

describe('the backlog', () => {
  it('is an alert when a command has waited for too long, and over when it is delivered', async () => {
    await transaction(db, (tx) =>
      tx.insert(commands).values({ workflowId: 'order/1', body: {}, createdAt: sql`now() - interval '4 minutes'`, lastError: 'no connection' }),
    );
    skipped = 0;
    await after(0);
    expect(subjects()).toEqual([]);
    await after(2 * MINUTE);
    expect(subjects()).toEqual(['[Holdfast] 1 command is not delivered to Temporal: the oldest has waited since HH:MM']);
    expect(mails()[0]?.text).toContain('Last error: no connection');
    await db.update(commands).set({ state: 'delivered' });
    await after(SECOND);
    await after(20 * SECOND);
    expect(subjects()[1]).toBe('[Holdfast] Resolved: commands are delivered again');
  });

  it('leaves out commands for a broken run, which wait until it is reset and have its alert', async () => {
    const order = await shop.placeOrder();
    await db.delete(commands);
    await openFailureOf(db, order, { kind: 'run', step: 'run', errorType: 'TypeError', errorMessage: 'not a function' });
    const late = { body: {}, createdAt: sql`now() - interval '1 hour'` };
    await db.insert(commands).values({ ...late, workflowId: orderWorkflowId(order.orderId) });
    skipped = 0;
    await after(0);
    expect(await db.select({ subject: alerts.subject }).from(alerts)).toEqual([{ subject: 'run/run/TypeError' }]);
    await db.insert(commands).values({ ...late, workflowId: 'order/1' });
    await after(SECOND);
    expect(subjects()).toEqual(['[Holdfast] 1 command is not delivered to Temporal: the oldest has waited since HH:MM']);
  });
});
