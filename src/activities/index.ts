import type { Database } from '../db/client.ts';
import type { MailGateway } from '../gateways/smtp.ts';
import type { PaymentGateway } from '../gateways/stripe.ts';
import type { WarehouseGateway } from '../gateways/warehouse.ts';
import type { Logger } from '../log.ts';
import { createAlertActivities } from './alert.ts';
import { createBulkActionActivities } from './bulk-actions.ts';
import { createEmailActivities, type EmailSettings } from './email.ts';
import { createFailedEmailActivities } from './failed-emails.ts';
import { createInventoryActivities } from './inventory.ts';
import { createInvoiceActivities } from './invoice.ts';
import { createOrderActivities } from './orders.ts';
import { createPaymentActivities } from './payment.ts';
import { createPruneActivities } from './prune.ts';
import { createReportActivities } from './report.ts';
import type { ReviewSettings } from './review.ts';
import { createSignupActivities } from './signups.ts';
import { createWarehouseActivities } from './warehouse.ts';

/** What activities take from the configuration. */
export type ActivitySettings = EmailSettings & ReviewSettings;

/** What activities depend on. */
export interface ActivityDependencies {
  db: Database;
  payments: PaymentGateway;
  warehouse: WarehouseGateway;
  mail: MailGateway;
  /** For reports. */
  operationsMail: MailGateway;
  settings: ActivitySettings;
  log: Logger;
}

/** Creates all activities except those that need a Temporal client (see `broken-runs.ts`). */
export function createActivities(deps: ActivityDependencies) {
  const { db, log, settings } = deps;
  return {
    ...createAlertActivities(),
    ...createBulkActionActivities({ db }),
    ...createEmailActivities({ db, gateway: deps.mail, operationsGateway: deps.operationsMail, settings }),
    ...createFailedEmailActivities({ db }),
    ...createInventoryActivities({ db, settings }),
    ...createInvoiceActivities({ db }),
    ...createOrderActivities({ db }),
    ...createPaymentActivities({ db, gateway: deps.payments }),
    ...createPruneActivities({ db, log }),
    ...createReportActivities({ db }),
    ...createSignupActivities({ db }),
    ...createWarehouseActivities({ db, gateway: deps.warehouse }),
  };
}
