import { and, inArray, lt, sql, type SQL, type Table } from 'drizzle-orm';
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core';
import type * as schema from './schema.ts';
import { alertMessages, commands, idempotencyKeys, operatorSessions, verificationTokens, webhookEvents, workers } from './schema.ts';

type Schema = typeof schema;
/** The name of a table in `schema.ts`. */
export type TableName = { [Name in keyof Schema]: Schema[Name] extends PgTable ? Name : never }[keyof Schema];

/** What becomes of the rows of a table: they are kept, or those that are past their time are deleted. */
export type Retention = { keep: string } | { deleteFrom: Table; where: SQL | undefined };

/** @param age since the time in the column @param condition that the rows must also meet */
const deleteAfter = (age: string, column: AnyPgColumn, condition?: SQL): Retention => ({
  deleteFrom: column.table,
  where: and(condition, lt(column, ago(age))),
});

/** @param age e.g. `30 days` */
export const ago = (age: string): SQL => sql`now() - ${age}::interval`;

/** How long each table keeps its rows. The nightly run of `prune` enforces it. Temporal keeps closed runs for the retention of its namespace. */
export const RETENTION: Record<TableName, Retention> = {
  apiKeys: { keep: 'orders and the audit name them' },
  apiKeySecrets: { keep: 'when a key was last used' },
  operatorSessions: deleteAfter('1 day', operatorSessions.expiresAt),
  idempotencyKeys: deleteAfter('30 days', idempotencyKeys.createdAt),
  signups: { keep: 'without personal data, see ERASED_AFTER' },
  verificationTokens: deleteAfter('30 days', verificationTokens.createdAt),
  products: { keep: 'the catalogue' },
  stock: { keep: 'the catalogue' },
  orders: { keep: 'accounting; without personal data, see ERASED_AFTER' },
  orderItems: { keep: 'accounting' },
  orderEvents: { keep: 'the history of an order' },
  attemptEvents: { keep: 'the history of an order; after a hundred attempts of one step only how it ended' },
  sagaSteps: { keep: 'they keep an effect from happening twice' },
  reservations: { keep: 'they keep an effect from happening twice' },
  payments: { keep: 'accounting' },
  refunds: { keep: 'accounting' },
  disputes: { keep: 'accounting' },
  shipments: { keep: 'the history of an order' },
  invoiceCounter: { keep: 'one row' },
  invoices: { keep: 'accounting' },
  emails: { keep: 'the history of an order or a signup; without personal data, see ERASED_AFTER' },
  commands: deleteAfter('7 days', commands.deliveredAt, inArray(commands.state, ['delivered', 'discarded'])),
  // Providers stop resending long before.
  webhookEvents: deleteAfter('30 days', webhookEvents.receivedAt),
  failures: { keep: 'the history of an order or a signup' },
  failureEvents: { keep: 'the history of an order or a signup' },
  alerts: { keep: 'what operations was woken up for' },
  alertMessages: deleteAfter('90 days', alertMessages.settledAt),
  alertGroups: { keep: 'the history of earlier alerts: nothing uses it any more' },
  bulkActions: { keep: 'the audit' },
  bulkActionItems: { keep: 'the audit' },
  operatorActions: { keep: 'the audit' },
  differences: { keep: 'the present ones, and those of a failure' },
  bookChecks: { keep: 'one row for each check' },
  serviceProbes: { keep: 'one row for each service' },
  // Those that were killed.
  workers: deleteAfter('1 day', workers.lastSeenAt),
  weeklyReports: { keep: 'one row for each week' },
};

/** When a message that could not be sent is given up. Nobody tries it any more if its channel has been removed. */
export const ALERTS_GIVEN_UP_AFTER = '2 days';

/** When the personal data of ended orders and signups is replaced. Before that, an operator can do it. */
export const ERASED_AFTER = {
  /** Failed and cancelled ones. */
  orders: '1 year',
  /** Completed ones: how long accounting needs the recipient of an invoice. */
  invoicedOrders: '10 years',
  /** Expired and ended ones. */
  signups: '1 year',
} as const;
