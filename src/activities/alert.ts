import { eq } from 'drizzle-orm';
import type { AlertOccasion } from '../contracts/messages.ts';
import type { Database } from '../db/client.ts';
import { alertGroups } from '../db/schema.ts';
import type { AlertWebhook } from '../gateways/alert-webhook.ts';
import { countOpenFailures } from '../intake/failures.ts';
import type { Logger } from '../log.ts';

export type AlertActivities = ReturnType<typeof createAlertActivities>;

/** The state of alert groups. */
export function createAlertActivities(deps: {
  db: Database;
  log: Logger;
  webhook: AlertWebhook;
  /** Base of the link to the failures. */
  publicUrl: string;
}) {
  const { db, log, webhook, publicUrl } = deps;
  return {
    /** @param alert `key` is the same for each attempt */
    async postAlert({ group, occasion, key }: { group: string; occasion: AlertOccasion; key: string }): Promise<void> {
      await webhook.post(key, {
        type: `failures.${occasion}`,
        timestamp: new Date().toISOString(),
        data: { group, open: await countOpenFailures(db, group), link: `${publicUrl}/ops/failures?status=open` },
      });
    },

    /**
     * Closes a group when nothing in it is open. The row lock orders this against a failure that opens it again (see
     * `openFailure`): either that failure is counted here, or it starts a new alert.
     */
    async closeAlertGroup(group: string): Promise<{ open: boolean }> {
      return await db.transaction(async (tx) => {
        await tx.select().from(alertGroups).where(eq(alertGroups.group, group)).for('update');
        const open = (await countOpenFailures(tx, group)) > 0;
        await tx.update(alertGroups).set({ open }).where(eq(alertGroups.group, group));
        return { open };
      });
    },

    /** An alert about a failing mail server must not open another failure, and so another alert. */
    logFailedAlert(alert: { group: string; message: string; errorType: string; errorMessage: string }): Promise<void> {
      log.error(alert, 'an alert could not be sent');
      return Promise.resolve();
    },
  };
}
