import { eq } from 'drizzle-orm';
import type { ErrorDetails } from '../contracts/errors.ts';
import type { AlertOccasion } from '../contracts/messages.ts';
import type { Database } from '../db/client.ts';
import { alertGroups } from '../db/schema.ts';
import { transaction } from '../db/transaction.ts';
import type { AlertWebhook } from '../gateways/alert-webhook.ts';
import { countOpenInGroup } from '../records/failures.ts';
import type { Logger } from '../log.ts';

export type AlertActivities = ReturnType<typeof createAlertActivities>;

/** Alerts about groups of failures. */
export function createAlertActivities(deps: {
  db: Database;
  log: Logger;
  webhook: AlertWebhook;
  /** Base URL of the link to the failures. */
  publicUrl: string;
}) {
  const { db, log, webhook, publicUrl } = deps;
  return {
    /** @param alert `key` is the same for each attempt */
    async postAlert({ group, occasion, key }: { group: string; occasion: AlertOccasion; key: string }): Promise<void> {
      await webhook.post(key, {
        type: `failures.${occasion}`,
        timestamp: new Date().toISOString(),
        data: { group, open: await countOpenInGroup(db, group), link: `${publicUrl}/ops/failures?status=open` },
      });
    },

    /**
     * Closes a group if no failure in it is open. Row lock: a failure that opens meanwhile (see `openFailure`) is either
     * counted here or starts a new alert.
     */
    async closeAlertGroup(group: string): Promise<{ open: boolean }> {
      return await transaction(db, async (tx) => {
        await tx.select().from(alertGroups).where(eq(alertGroups.group, group)).for('update');
        const open = (await countOpenInGroup(tx, group)) > 0;
        await tx.update(alertGroups).set({ open }).where(eq(alertGroups.group, group));
        return { open };
      });
    },

    /** Only logs: an alert about a failing mail server must not open another failure, and so another alert. */
    logFailedAlert(alert: { group: string; message: string } & ErrorDetails): Promise<void> {
      log.error(alert, 'an alert could not be sent');
      return Promise.resolve();
    },
  };
}
