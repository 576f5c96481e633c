import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import { useRig } from '../../support/rig.ts';

const rig = await useRig();

it('waits in a timer, and not in a workflow task, while a step that only uses Postgres keeps failing', async () => {
  await rig.db.execute(sql`
    create function fail() returns trigger language plpgsql as $$ begin raise 'broken'; end $$;
    create trigger fail before insert on reservations for each row execute function fail()`);
  const id = await rig.placeOrder();
  const timers = async () => {
    const { events } = await rig.client.workflow.getHandle(orderWorkflowId(id)).fetchHistory();
    return (events ?? []).filter(({ timerStartedEventAttributes }) => timerStartedEventAttributes).length;
  };
  await expect.poll(timers, { timeout: 25_000, interval: 200 }).toBeGreaterThan(0);
  await rig.db.execute(sql`drop trigger fail on reservations`);
  await rig.skip(60_000);
  await rig.orderStatus(id, 'fulfilling');
  rig.keepAs('order-reserve-retried', orderWorkflowId(id));
});
