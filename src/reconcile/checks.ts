import type { Client } from '@temporalio/client';
import type { BookCheck } from '../contracts/books.ts';
import type { Database } from '../db/client.ts';
import type { PaymentGateway } from '../gateways/stripe.ts';
import type { WarehouseGateway } from '../gateways/warehouse.ts';
import type { Check } from './check.ts';
import { waitingFailures } from './failures.ts';
import { invoices } from './invoices.ts';
import { providerPayments } from './payments.ts';
import { unlessRunIsBehind } from './runs-behind.ts';
import { orderRuns, signupRuns } from './runs.ts';
import { warehouseShipments } from './shipments.ts';
import { reservations, stockTotals } from './stock.ts';

/** Whose records are compared. */
export interface Sides {
  db: Database;
  client: Client;
  payments: PaymentGateway;
  warehouse: WarehouseGateway;
}

/** @returns the checks, by name */
export const createChecks = ({ db, client, payments, warehouse }: Sides): Record<BookCheck, Check> => ({
  order_runs: orderRuns(db, client),
  signup_runs: signupRuns(db, client),
  failures: unlessRunIsBehind(client, waitingFailures(db)),
  reservations: unlessRunIsBehind(client, reservations(db)),
  stock: stockTotals(db),
  invoices: unlessRunIsBehind(client, invoices(db)),
  payments: unlessRunIsBehind(client, providerPayments(db, payments)),
  shipments: unlessRunIsBehind(client, warehouseShipments(db, warehouse)),
});
