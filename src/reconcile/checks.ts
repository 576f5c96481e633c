import type { Client } from '@temporalio/client';
import type { BookCheck } from '../contracts/books.ts';
import type { Database } from '../db/client.ts';
import type { Check } from './check.ts';
import { waitingFailures } from './failures.ts';
import { invoices } from './invoices.ts';
import { orderRuns, signupRuns } from './runs.ts';
import { reservations, stockTotals } from './stock.ts';

/** Whose records are compared. */
export interface Sides {
  db: Database;
  client: Client;
}

/** @returns the checks, by name */
export const createChecks = ({ db, client }: Sides): Record<BookCheck, Check> => ({
  order_runs: orderRuns(db, client),
  signup_runs: signupRuns(db, client),
  failures: waitingFailures(db),
  reservations: reservations(db),
  stock: stockTotals(db),
  invoices: invoices(db),
});
