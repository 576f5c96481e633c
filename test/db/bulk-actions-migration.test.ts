import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { bulkActions, commands, failureEvents, operatorActions } from '../../src/db/schema.ts';
import { commandSchema } from '../../src/records/commands.ts';
import { useEarlierDatabase } from '../support/earlier-database.ts';

const { db, url } = await useEarlierDatabase({ migrations: 5 });
const ID = '0197d0a0-0000-7000-8000-000000000000';

describe('the migration that names bulk actions', () => {
  it('keeps what was stored under the earlier names, in a form that the code reads; commands are delivered as they are', async () => {
    const message = { reason: 'too late', actor: 'key:1' };
    const stored = [
      { type: 'cancelOrder', orderId: ID, message },
      { type: 'decideApproval', orderId: ID, message: { ...message, decision: 'approve' } },
      { type: 'resolveFailure', orderId: ID, message: { ...message, failureId: ID, occurrence: 1, action: 'retry' } },
      { type: 'settleCompensation', orderId: ID, message: { ...message, failureId: ID, step: 'charge' } },
      { type: 'carrierUpdate', orderId: ID, message: { generation: 1, type: 'shipped', carrier: 'P', trackingNumber: '1' } },
      { type: 'verified', signupId: ID },
      { type: 'subscribed', signupId: ID },
      { type: 'start_replay', replayId: ID, ratePerSecond: 5 },
      { type: 'replayChanged', replayId: ID },
      { type: 'start_signup', signupId: ID },
    ];
    for (const body of stored) {
      await db.execute(sql`insert into commands (workflow_id, body) values ('w', ${JSON.stringify(body)}::jsonb)`);
    }
    await db.execute(sql`insert into replays (id, action, state, request, reason, actor, rate_per_second)
      values (${ID}, 'replay', 'paused', '{"action": "replay", "ids": []}', 'again', 'key:1', 5)`);
    await db.execute(sql`insert into failures (id, kind, status, workflow_id, step, error_type, error_message, attempts, replay_id)
      values (${ID}, 'step', 'open', 'w', 'ship', 'e', 'm', 1, ${ID})`);
    await db.execute(sql`insert into failure_events (failure_id, type, actor, reason)
      values (${ID}, 'replay_requested', 'key:1', 'again')`);
    await db.execute(sql`insert into operator_actions (actor, action, target, reason)
      values ('key:1', 'bulk_replay_paused', ${ID}, 'r'), ('key:1', 'replay_order', ${ID}, 'r'), ('key:1', 'run_schedule', 'prune', 'r')`);

    await migrate(url);

    const bodies = await db.select({ body: commands.body }).from(commands).orderBy(commands.id);
    const present = bodies.map(({ body }) => commandSchema.parse(body));
    expect(JSON.stringify(present)).not.toContain('too late');
    expect(present.map(({ type }) => type)).toEqual([
      'cancel_order',
      'decide_approval',
      'resolve_failure',
      'settle_compensation',
      'update_shipment',
      'verify_signup',
      'subscribe_signup',
      'start_bulk_action',
      'wake_bulk_action',
      'start_signup',
    ]);
    expect(await db.select().from(bulkActions)).toMatchObject([
      { id: ID, action: 'restart', state: 'paused', request: { action: 'restart' } },
    ]);
    expect(await db.select().from(failureEvents)).toMatchObject([{ type: 'restart_requested' }]);
    expect((await db.select().from(operatorActions).orderBy(operatorActions.id)).map(({ action }) => action)).toEqual([
      'pause_bulk_action',
      'restart_order',
      'run_schedule',
    ]);
  });
});
