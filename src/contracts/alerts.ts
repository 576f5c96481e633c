/** The words of alerts: see `alerts/`. */

/** How alerts reach people. */
export const ALERT_CHANNELS = ['email', 'webhook', 'slack'] as const;
export type AlertChannel = (typeof ALERT_CHANNELS)[number];

/** Why a message is sent. `grown`: to ten times what the last message said. `digest`: it goes on for long. */
export const ALERT_OCCASIONS = ['opened', 'grown', 'digest', 'resolved'] as const;
export type AlertOccasion = (typeof ALERT_OCCASIONS)[number];

export const ALERT_MESSAGE_STATES = ['pending', 'sent', 'given_up'] as const;

/** What a message says. No personal data. */
export interface AlertContent {
  /** e.g. `15 orders (€133.50) parked at shipping: the warehouse has not answered since 19:41 CET` */
  title: string;
  /** What to know and do, a sentence or two each. */
  lines: string[];
  /** Where to see exactly this, below the public URL. */
  path: string;
  /** How many failures or the like. */
  count: number;
  /** Since when, ISO 8601. */
  since: string;
  /** The title once it is over, without the count. */
  over: string;
}
