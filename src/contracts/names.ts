import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Names that Temporal, the database and the code share. Histories store them, so never rename one: add another. */

export const QUEUE_NAMES = ['orders', 'email', 'operations'] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** One task queue for each kind of work, so that a flood of one kind never delays another. */
export const TASK_QUEUES = {
  orders: 'holdfast-orders',
  email: 'holdfast-email',
  operations: 'holdfast-operations',
} as const satisfies Record<QueueName, string>;

export const SIGNALS = {
  /** to `order`: {@link import('./messages.ts').CancelOrder} */
  cancelOrder: 'cancelOrder',
  /** to `order`: {@link import('./messages.ts').DecideApproval} */
  decideApproval: 'decideApproval',
  /** to `order`: {@link import('./messages.ts').ResolveFailure} */
  resolveFailure: 'resolveFailure',
  /** to `order`: {@link import('./messages.ts').CarrierUpdate} */
  carrierUpdate: 'carrierUpdate',
  /** to `order`: {@link import('./messages.ts').SettleCompensation} */
  settleCompensation: 'settleCompensation',
  /** to `replayFailures`: no argument */
  replayChanged: 'replayChanged',
  /** to `signup`: no argument */
  verified: 'verified',
  /** to `signup`: no argument */
  subscribed: 'subscribed',
  /** to `alert`: no argument */
  groupOpened: 'groupOpened',
} as const;

/** The memo of a run, and the header of an activity, that holds the id of the HTTP request that began it (`X-Request-Id`). */
export const REQUEST_ID = 'requestId';

/** The same for the span that started the run, while tracing is on: https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = 'traceparent';

/** What a run tells its activities about the request that it began with. */
export const OF_REQUEST = [REQUEST_ID, TRACEPARENT] as const;

/** The only custom search attribute. Operators list runs by business status with it. Holds no personal data. */
export const STATUS_SEARCH_ATTRIBUTE = defineSearchAttributeKey('HoldfastStatus', SearchAttributeType.KEYWORD);

/** Set by the server on runs that a schedule starts. */
export const SCHEDULED_START_TIME = defineSearchAttributeKey(
  'TemporalScheduledStartTime',
  SearchAttributeType.DATETIME,
);

export const WEEKLY_REPORT_SCHEDULE_ID = 'weekly-report';
export const PRUNE_SCHEDULE_ID = 'prune';
export const WATCH_RUNS_SCHEDULE_ID = 'watch-runs';
export const RECONCILE_CHANGES_SCHEDULE_ID = 'reconcile-changes';
export const RECONCILE_EVERYTHING_SCHEDULE_ID = 'reconcile-everything';
