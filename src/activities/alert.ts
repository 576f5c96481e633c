import { eq } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { alertGroups } from '../db/schema.ts';
import { countOpenFailures } from '../intake/failures.ts';
import type { Logger } from '../log.ts';

export type AlertActivities = ReturnType<typeof createAlertActivities>;

/** The state of alert groups. */
export function createAlertActivities({ db, log }: { db: Database; log: Logger }) {
  return {
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
    logFailedAlert(alert: { group: string; occasion: string; errorType: string; errorMessage: string }): Promise<void> {
      log.error(alert, 'an alert could not be sent');
      return Promise.resolve();
    },
  };
}
