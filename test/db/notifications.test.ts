import { afterAll, expect, it } from 'vitest';
import { connectDatabase } from '../../src/db/client.ts';
import { notificationsSent, notifyAfterCommit } from '../../src/db/notifications.ts';
import { transaction } from '../../src/db/transaction.ts';
import { createTestDatabase } from '../support/database.ts';

const testDatabase = await createTestDatabase();
const { db, listener, close } = connectDatabase(testDatabase.url, { max: 5, name: 'test' });
afterAll(async () => {
  await close();
  await testDatabase.drop();
});

const heard: string[] = [];
await listener.listen('news', (payload) => heard.push(payload));

const REFUSED = new Error('refused');

/** @returns what is heard from now on, up to the payload `end` */
async function heardUntilEnd(): Promise<string[]> {
  await notificationsSent(db.$client);
  await transaction(db, async () => notifyAfterCommit('news', 'end'));
  await expect.poll(() => heard).toContain('end');
  return heard.splice(0);
}

it('sends what a transaction notifies once it has committed, each payload once', async () => {
  await transaction(db, async (tx) => {
    notifyAfterCommit('news', 'a');
    await tx.transaction(async () => notifyAfterCommit('news', 'a'));
    notifyAfterCommit('news', 'b');
  });
  expect(await heardUntilEnd()).toEqual(['a', 'b', 'end']);
});

it('sends nothing of a transaction that was rolled back', async () => {
  const rolledBack = transaction(db, async () => {
    notifyAfterCommit('news', 'never');
    throw REFUSED;
  });
  await expect(rolledBack).rejects.toBe(REFUSED);
  expect(await heardUntilEnd()).toEqual(['end']);
});

it('sends what is still to be sent before the connections are closed', async () => {
  const other = connectDatabase(testDatabase.url, { max: 1, name: 'other' });
  await transaction(other.db, async () => notifyAfterCommit('news', 'last words'));
  await other.close();
  expect(await heardUntilEnd()).toEqual(['last words', 'end']);
});
