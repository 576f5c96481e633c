import { asc, desc, eq, like } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { OPERATOR_ACTIONS, type OperatorActionName } from '../../src/contracts/audit.ts';
import { orderWorkflowId } from '../../src/contracts/ids.ts';
import { bulkActions, commands, failureEvents, differences, failures, operatorActions, orders } from '../../src/db/schema.ts';
import { transaction } from '../../src/db/transaction.ts';
import { startBulkAction } from '../../src/operate/bulk-actions.ts';
import { openFailure } from '../../src/records/failures.ts';
import { scheduleDefinitions, upsertSchedule } from '../../src/temporal/schedules.ts';
import { call, newOrder, placeOrder, startTestApi, type TestApi } from '../api/support/api.ts';
import { runCommand } from '../support/command.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createNamespace, type TestNamespace } from '../support/namespace.ts';

const REASON = 'a test asks for it';
const SPAN = { from: '2026-10-05T00:00:00Z', to: '2026-10-19T00:00:00Z' };
const ADDRESS = { line1: '221B Baker Street', city: 'London', postalCode: 'NW1 6XE', country: 'GB' };

let api: TestApi;
let database: TestDatabase;
let temporal: TestNamespace;
let page: Awaited<ReturnType<typeof signIn>>;

beforeAll(async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  [temporal, database] = await Promise.all([createNamespace(), createTestDatabase()]);
  api = await startTestApi({ namespace: temporal.namespace, database });
  for (const definition of scheduleDefinitions('Europe/Berlin')) await upsertSchedule(temporal.client, definition);
  page = await signIn();
});
afterAll(async () => {
  await api.close();
  await temporal.close();
  vi.unstubAllEnvs();
});

/** What a door said: whether it acted, and its words. */
interface Answer {
  acted: boolean;
  said: string;
}

/** How one action is reached through each door. */
interface Doors {
  /** Makes something to act on. @returns its id */
  prepare: () => Promise<string>;
  /** What it takes besides the reason. */
  api: (id: string) => { path: string; body?: object };
  page: (id: string) => { path: string; fields?: Record<string, string> };
  cli: (id: string) => string[];
}

const DOORS: Record<OperatorActionName, Doors> = {
  retry_failure: {
    prepare: () => fail('step'),
    api: (id) => ({ path: `/v1/ops/failures/${id}/retry`, body: { shippingAddress: ADDRESS } }),
    page: (id) => ({ path: `/ops/failures/${id}/retry`, fields: ADDRESS }),
    cli: (id) => ['failures', 'retry', id, ...addressFlags(ADDRESS)],
  },
  cancel_failure: onFailure('cancel', 'step'),
  settle_failure: {
    ...onFailure('settle', 'compensation'),
    api: (id) => ({ path: `/v1/ops/failures/${id}/settlement` }),
  },
  reset_failure: {
    prepare: () => fail('run'),
    api: (id) => ({ path: `/v1/ops/failures/${id}/reset`, body: { eventId: 7 } }),
    page: (id) => ({ path: `/ops/failures/${id}/reset`, fields: { eventId: '7' } }),
    cli: (id) => ['failures', 'reset', id, '--event', '7'],
  },
  fix_failure: {
    ...onFailure('fix', 'step'),
    prepare: async () => {
      const id = await fail('discrepancy');
      const [failure] = await api.db.select().from(failures).where(eq(failures.id, id));
      const sides = { what: 'run_missing', ours: 'accepted, generation 1', theirs: 'no run', fix: 'start_run' } as const;
      const subject = failure?.orderId ?? '';
      await api.db.insert(differences).values({ check: 'order_runs', subject, orderId: subject, generation: 1, failureId: id, ...sides });
      return id;
    },
  },
  requeue_failure: {
    ...onFailure('requeue', 'command'),
    prepare: async () => {
      const id = await fail('command');
      // The first failure of its kind also wakes an alert.
      await api.db.delete(commands).where(like(commands.workflowId, 'alert/%'));
      const [failure] = await api.db.select().from(failures).where(eq(failures.id, id));
      const of = eq(commands.workflowId, failure?.workflowId ?? '');
      await api.db.update(commands).set({ state: 'set_aside', attempts: 14, lastError: 'INTERNAL' }).where(of);
      return id;
    },
  },
  approve_order: {
    ...onOrder('approve', 'awaiting_approval'),
    api: (id) => ({ path: `/v1/orders/${id}/approval`, body: { decision: 'approve' } }),
  },
  reject_order: {
    ...onOrder('reject', 'awaiting_approval'),
    api: (id) => ({ path: `/v1/orders/${id}/approval`, body: { decision: 'reject' } }),
  },
  cancel_order: {
    ...onOrder('cancel', 'charged'),
    api: (id) => ({ path: `/v1/orders/${id}/cancellation` }),
  },
  restart_order: onOrder('restart', 'failed'),
  pause_bulk_action: onBulkAction('pause'),
  resume_bulk_action: onBulkAction('resume'),
  cancel_bulk_action: onBulkAction('cancel'),
  pause_schedule: onSchedule('pause'),
  resume_schedule: onSchedule('resume'),
  run_schedule: onSchedule('run'),
  backfill_schedule: {
    ...onSchedule('backfill'),
    api: (id) => ({ path: `/v1/ops/schedules/${id}/backfill`, body: SPAN }),
    page: (id) => ({ path: `/ops/schedules/${id}/backfill`, fields: SPAN }),
    cli: (id) => ['schedules', 'backfill', id, '--from', SPAN.from, '--to', SPAN.to],
  },
};

/** A retry of an email that could not be sent. It takes no address. */
const RETRY_EMAIL = onFailure('retry', 'email');

function onFailure(verb: string, kind: 'step' | 'compensation' | 'command' | 'email'): Doors {
  return {
    prepare: () => fail(kind),
    api: (id) => ({ path: `/v1/ops/failures/${id}/${verb}` }),
    page: (id) => ({ path: `/ops/failures/${id}/${verb}` }),
    cli: (id) => ['failures', verb, id],
  };
}

function onOrder(verb: string, status: 'awaiting_approval' | 'charged' | 'failed'): Doors {
  return {
    prepare: async () => {
      const id = await placeOrder(api);
      await api.db.update(orders).set({ status }).where(eq(orders.id, id));
      return id;
    },
    api: (id) => ({ path: `/v1/ops/orders/${id}/${verb}` }),
    page: (id) => ({ path: `/ops/orders/${id}/${verb}` }),
    cli: (id) => ['orders', verb, id],
  };
}

function onBulkAction(verb: string): Doors {
  return {
    prepare: async () => {
      const ids = [await fail('step')];
      const id = await startBulkAction(api.db, { action: 'retry', ids, reason: 'r', ratePerSecond: 1, dryRun: false }, 'test');
      if (verb === 'resume') await api.db.update(bulkActions).set({ state: 'paused' }).where(eq(bulkActions.id, id));
      return id;
    },
    api: (id) => ({ path: `/v1/ops/bulk-actions/${id}/${verb}` }),
    page: (id) => ({ path: `/ops/bulk-actions/${id}/${verb}` }),
    cli: (id) => ['bulk-actions', verb, id],
  };
}

function onSchedule(verb: string): Doors {
  return {
    prepare: async () => {
      const schedule = temporal.client.schedule.getHandle('weekly-report');
      await (verb === 'resume' ? schedule.pause() : schedule.unpause());
      return schedule.scheduleId;
    },
    api: (id) => ({ path: `/v1/ops/schedules/${id}/${verb}` }),
    page: (id) => ({ path: `/ops/schedules/${id}/${verb}` }),
    cli: (id) => ['schedules', verb, id],
  };
}

/** What a failure of each kind is about. */
const FAILED = {
  step: 'ship',
  compensation: 'ship',
  run: 'run',
  command: 'start_order',
  discrepancy: 'ship',
  email: 'order_confirmed',
};

/** Opens a failure of an order that has moved on. @returns its id */
async function fail(kind: keyof typeof FAILED): Promise<string> {
  const orderId = await placeOrder(api);
  const { failureId } = await transaction(api.db, (tx) =>
    openFailure(tx, {
      kind,
      workflowId: orderWorkflowId(orderId),
      orderId,
      generation: 1,
      step: FAILED[kind],
      errorType: 'warehouse_unavailable',
      errorMessage: 'HTTP 503',
      attempts: 4,
    }),
  );
  return failureId;
}

const addressFlags = ({ line1, city, postalCode, country }: typeof ADDRESS) =>
  ['--line1', line1, '--city', city, '--postal-code', postalCode, '--country', country];

const cookiesOf = (response: Response) => response.headers.getSetCookie().map((text) => text.split(';')[0]);

/** Signs in to the operator's page as a browser does. @returns functions that read a page and send a form */
async function signIn() {
  const headers = { origin: api.url, 'content-type': 'application/x-www-form-urlencoded' };
  const send = (path: string, fields: Record<string, string>, cookie = '') =>
    fetch(`${api.url}${path}`, {
      method: 'POST',
      headers: { ...headers, cookie },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
  const session = cookiesOf(await send('/ops/sign-in', { key: api.keys.operator.key })).join('; ');
  const read = async (path: string) => await (await fetch(`${api.url}${path}`, { headers: { cookie: session } })).text();
  const csrf = /name="csrf" value="([^"]+)"/.exec(await read('/ops'))?.[1] ?? '';
  return {
    read,
    async submit(path: string, fields: Record<string, string>): Promise<Answer> {
      const response = await send(path, { csrf, ...fields }, session);
      const flash = decodeURIComponent(cookiesOf(response).join('; '));
      return { acted: flash.includes('"kind":"done"'), said: flash };
    },
  };
}

/** An action, or a variant of one. */
type Action = OperatorActionName | Doors;

const doorsOf = (action: Action): Doors => (typeof action === 'string' ? DOORS[action] : action);

/** Fails unless the page of a thing has the form of an action on it. */
async function expectForm(action: Action, id: string): Promise<void> {
  const { path } = doorsOf(action).page(id);
  const shownOn = path.startsWith('/ops/schedules/') ? '/ops/schedules' : path.slice(0, path.lastIndexOf('/'));
  expect(await page.read(shownOn)).toContain(`action="${path}"`);
}

const door = {
  async api(action: Action, id: string, more: object = {}): Promise<Answer> {
    const { path, body } = doorsOf(action).api(id);
    const request = { key: api.keys.operator.key, body: { reason: REASON, ...body, ...more } };
    const answer = await call(api, 'POST', path, request);
    return { acted: answer.status === 202, said: JSON.stringify(answer.body) };
  },
  async page(action: Action, id: string, more: Record<string, string> = {}): Promise<Answer> {
    const { path, fields } = doorsOf(action).page(id);
    return await page.submit(path, { reason: REASON, ...fields, ...more });
  },
  async cli(action: Action, id: string, more: string[] = []): Promise<Answer> {
    const args = [...doorsOf(action).cli(id), '--reason', REASON, '--actor', 'cli:test', '--yes', '--json', ...more];
    const environment = { DATABASE_URL: database.url, TEMPORAL_UI_URL: 'http://ui.test', ...temporal.environment };
    const { code, stdout, stderr } = await runCommand('src/cli/main.ts', args, environment);
    return { acted: code === 0, said: code === 0 ? stdout : stderr };
  },
};

const ACTORS = { api: () => `key:${api.keys.operator.id}`, page: () => `key:${api.keys.operator.id}`, cli: () => 'cli:test' };

/** @returns all that an action has changed, without the ids and times in which two runs of it differ */
async function rowsAbout(id: string, actor: string): Promise<unknown> {
  const { db } = api;
  const [failure] = isUuid(id) ? await db.select().from(failures).where(eq(failures.id, id)) : [];
  const orderId = failure?.orderId ?? id;
  const [order] = isUuid(orderId) ? await db.select().from(orders).where(eq(orders.id, orderId)) : [];
  const [bulkAction] = isUuid(id) ? await db.select().from(bulkActions).where(eq(bulkActions.id, id)) : [];
  const [command] = await db.select().from(commands).orderBy(desc(commands.id)).limit(1);
  const [audit] = await db.select().from(operatorActions).orderBy(desc(operatorActions.id)).limit(1);
  const events = failure
    ? await db.select().from(failureEvents).where(eq(failureEvents.failureId, id)).orderBy(asc(failureEvents.id))
    : [];
  const rows = JSON.stringify({ failure, events, order, bulkAction, audit, command: isUuid(id) ? command : undefined });
  const withoutIds = rows.replaceAll(id, '<target>').replaceAll(orderId, '<order>').replaceAll(actor, '<actor>');
  return JSON.parse(withoutIds, (key, value: unknown) => {
    if (['id', 'ids', 'requestId'].includes(key) && value !== '<target>') return undefined;
    return /(At|^at)$/.test(key) && value !== null ? '<time>' : value;
  });
}

/** Acts through each door, on a new thing each time. @returns the rows about the first, once those of the others are equal */
async function actThroughEach(action: Action): Promise<unknown> {
  const written: Record<string, unknown> = {};
  for (const name of ['api', 'page', 'cli'] as const) {
    const id = await doorsOf(action).prepare();
    if (name === 'page') await expectForm(action, id);
    // In capitals: Postgres finds such an id, and Temporal would not.
    const answer = await door[name](action, isUuid(id) ? id.toUpperCase() : id);
    expect(answer, `${name}: ${answer.said}`).toMatchObject({ acted: true });
    written[name] = await rowsAbout(id, ACTORS[name]());
  }
  expect(written['page']).toEqual(written['api']);
  expect(written['cli']).toEqual(written['api']);
  return written['api'];
}

const fieldsOf = (json: string): string[] => Object.keys(Object(JSON.parse(json))).toSorted();

const isUuid = (text: string) => /^[0-9a-f-]{36}$/.test(text);

describe('every action of an operator', () => {
  it.each(OPERATOR_ACTIONS)('%s writes the same rows through API, page and command line', async (action) => {
    expect(await actThroughEach(action)).toMatchObject({ audit: { action, actor: '<actor>', reason: REASON } });
  });

  it('sends an email again through each, as a retry of its failure', async () => {
    expect(await actThroughEach(RETRY_EMAIL)).toMatchObject({
      audit: { action: 'retry_failure' },
      failure: { kind: 'email', status: 'retrying' },
      command: { body: { type: 'resend_email', failureId: '<target>', occurrence: 1 } },
    });
  });

  it('is refused in the same words through each, and leaves nothing behind', async () => {
    const id = await DOORS.cancel_failure.prepare();
    await door.api('cancel_failure', id);
    const before = await api.db.$count(operatorActions);
    for (const name of ['api', 'page', 'cli'] as const) {
      const { acted, said } = await door[name]('cancel_failure', id);
      expect(acted).toBe(false);
      expect(said).toContain('The cancellation of the order has already been requested.');
    }
    expect(await api.db.$count(operatorActions)).toBe(before);
  });

  it('approves no order for the key that placed it, through any', async () => {
    const { id: ownerId, key } = api.keys.operator;
    const id = await placeOrder(api, newOrder(), key);
    await api.db.update(orders).set({ status: 'awaiting_approval' }).where(eq(orders.id, id));
    expect(await page.read(`/ops/orders/${id}`)).not.toContain(`action="/ops/orders/${id}/approve"`);
    const answers = [
      await door.api('approve_order', id),
      await door.page('approve_order', id),
      await door.cli('approve_order', id, ['--actor', `key:${ownerId}`]),
    ];
    for (const { acted, said } of answers) {
      expect(acted).toBe(false);
      expect(said).toContain('The key that placed an order cannot approve it.');
    }
  });

  it('takes an address by the same rule through each', async () => {
    const id = await DOORS.retry_failure.prepare();
    const unknown = { ...ADDRESS, country: 'ZZ' };
    const answers = [
      await door.api('retry_failure', id, { shippingAddress: unknown }),
      await door.page('retry_failure', id, unknown),
      await door.cli('retry_failure', id, ['--country', 'ZZ']),
    ];
    for (const { acted, said } of answers) {
      expect(acted).toBe(false);
      expect(said).toContain('must be an ISO 3166-1 alpha-2 code in capitals');
    }
    expect(await api.db.select().from(failures).where(eq(failures.id, id))).toMatchObject([{ status: 'open' }]);
  });

  it('takes a reason by the same rule through each', async () => {
    const id = await DOORS.cancel_failure.prepare();
    const answers = [
      await door.api('cancel_failure', id, { reason: ' ' }),
      await door.page('cancel_failure', id, { reason: ' ' }),
      await door.cli('cancel_failure', id, ['--reason', ' ']),
    ];
    for (const { acted, said } of answers) {
      expect(acted).toBe(false);
      expect(said).toContain('must not be empty');
    }
  });

  it('answers over the API with what the command line prints', async () => {
    const [one, other] = [await DOORS.cancel_failure.prepare(), await DOORS.cancel_failure.prepare()];
    const printed = (await door.cli('cancel_failure', one)).said;
    const answered = (await door.api('cancel_failure', other)).said;
    expect(fieldsOf(printed)).toEqual(fieldsOf(answered));
  });
});
