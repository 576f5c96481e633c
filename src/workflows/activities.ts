import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { AlertActivities } from '../activities/alert.ts';
import type { RunActivities } from '../activities/broken-runs.ts';
import type { BulkActionActivities } from '../activities/bulk-actions.ts';
import type { EmailActivities } from '../activities/email.ts';
import type { FailedEmailActivities } from '../activities/failed-emails.ts';
import type { InventoryActivities } from '../activities/inventory.ts';
import type { InvoiceActivities } from '../activities/invoice.ts';
import type { OrderActivities } from '../activities/orders.ts';
import type { PaymentActivities } from '../activities/payment.ts';
import type { PruneActivities } from '../activities/prune.ts';
import type { ReconciliationActivities } from '../activities/reconciliation.ts';
import type { ReportActivities } from '../activities/report.ts';
import type { SignupActivities } from '../activities/signups.ts';
import type { WarehouseActivities } from '../activities/warehouse.ts';
import { TASK_QUEUES } from '../contracts/names.ts';
import { RETRY_PROFILES } from '../contracts/retry-profiles.ts';
import { OutsideService } from './outside.ts';

/**
 * The activities as workflows call them, each with the retry profile of its dependency. Steps that only use Postgres are
 * local activities. Calls to outside services become normal activities, so that the Web UI shows their retries.
 */

/**
 * A local activity that waits longer than this for its next attempt waits in a timer. Otherwise the run would occupy a
 * workflow task, and thus a slot of its worker, while Postgres is away.
 */
const local = { localRetryThreshold: '2s' } as const;

/** Steps of an order in Postgres. */
export const database = proxyLocalActivities<
  Pick<InventoryActivities, 'reserveStock'> & Pick<InvoiceActivities, 'issueInvoice'>
>({ ...RETRY_PROFILES.database, ...local });

/** Records what happened. Never gives up, so callers need no plan for its failure. */
export const bookkeeping = proxyLocalActivities<OrderActivities & SignupActivities & FailedEmailActivities>({
  ...RETRY_PROFILES.bookkeeping,
  ...local,
});

/** Waits until a charge that is being cancelled has stopped: it hears of its cancellation by its heartbeat. */
export const payment = new OutsideService<Pick<PaymentActivities, 'chargePayment'>>('payment', RETRY_PROFILES.payment, {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

export const warehouse = new OutsideService<Pick<WarehouseActivities, 'requestShipment'>>('warehouse', RETRY_PROFILES.warehouse);

export const compensation = proxyActivities<
  Pick<PaymentActivities, 'refundPayment' | 'refundAgain'> & Pick<WarehouseActivities, 'withdrawShipment' | 'cancelShipment'>
>({
  ...RETRY_PROFILES.compensation,
  // Waits for a compensation that is settled by hand: it may succeed at the last moment.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

export const localCompensation = proxyLocalActivities<
  Pick<InventoryActivities, 'releaseStock'> & Pick<InvoiceActivities, 'voidInvoice'>
>({ ...RETRY_PROFILES.compensation, ...local });

/** Mail of orders and signups, on a queue of its own. A slow mail server may still take an email: a second one would be a copy. */
export const email = new OutsideService<Pick<EmailActivities, 'sendOrderEmail' | 'sendSignupEmail' | 'resendEmail'>>('email', RETRY_PROFILES.email, {
  taskQueue: TASK_QUEUES.email,
  settlesWithin: '30s',
});

export const report = proxyActivities<ReportActivities & RunActivities>(RETRY_PROFILES.report);

/** Reports, on the queue of their workflows: a flood of customers' mail must not delay them. */
export const announcing = proxyActivities<
  Pick<EmailActivities, 'sendWeeklyReport'> & Pick<AlertActivities, 'sendAlert' | 'postAlert'>
>(RETRY_PROFILES.email);

export const operations = proxyLocalActivities<AlertActivities & PruneActivities & BulkActionActivities>({
  ...RETRY_PROFILES.bookkeeping,
  ...local,
});

/** Report each part of their work, so that a worker that dies is noticed. */
export const batches = proxyActivities<PruneActivities & BulkActionActivities>({
  ...RETRY_PROFILES.batches,
  heartbeatTimeout: '1m',
});

/** A part of a check takes about a minute. It reports each page, so that a worker that dies is noticed. */
export const books = proxyActivities<ReconciliationActivities>({ ...RETRY_PROFILES.books, heartbeatTimeout: '2m' });
