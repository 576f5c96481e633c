import type { AlertInput } from '../contracts/messages.ts';

export type AlertActivities = ReturnType<typeof createAlertActivities>;

type Alert = Pick<AlertInput, 'group'> & Record<string, string>;

/**
 * What the runs of alerts of an earlier version call. Alerts are sent without Temporal now (see `alerts/`), so these do nothing, and
 * the runs end. Histories store the names.
 */
export function createAlertActivities() {
  return {
    sendAlert: (_alert: Alert): Promise<void> => Promise.resolve(),
    postAlert: (_alert: Alert): Promise<void> => Promise.resolve(),
    closeAlertGroup: (_group: string): Promise<{ open: boolean }> => Promise.resolve({ open: false }),
    logFailedAlert: (_alert: Alert): Promise<void> => Promise.resolve(),
  };
}
