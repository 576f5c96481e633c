import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { TASK_QUEUES } from '../../src/contracts/names.ts';
import { webhookEvents } from '../../src/db/schema.ts';
import { useRig } from '../support/rig.ts';

const rig = await useRig();

it('deletes what is past its retention time, and keeps the rest', async () => {
  await rig.db.execute(sql`
    insert into webhook_events (source, event_id, type, received_at)
    select 'warehouse', n::text, 'shipment.shipped', now() - n * interval '1 day' from generate_series(1, 40) as n`);
  const workflowId = 'prune';
  rig.keepAs('prune-finished', workflowId);
  await rig.client.workflow.execute('prune', { workflowId, taskQueue: TASK_QUEUES.operations });
  expect(await rig.db.$count(webhookEvents)).toBe(29);
});
