import { Command } from 'commander';
import { addDoctor } from './doctor/command.ts';
import { EXIT_HELP, run } from './exit.ts';
import { addFind } from './find.ts';
import { addFailures } from './failures.ts';
import { addHealth } from './health.ts';
import { addKeys } from './keys.ts';
import { addOrders } from './orders.ts';
import { addPeople } from './people.ts';
import { addQueues } from './queues.ts';
import { addBulkActions } from './bulk-actions.ts';
import { addReports } from './reports.ts';
import { addReconcile } from './reconcile.ts';
import { addRetrying } from './retrying.ts';
import { addSchedules } from './schedules.ts';

/** `npm run ops -- <noun> <verb>`: the operator's page for terminals and scripts. */
const program = new Command('ops')
  .description('Operates a running Holdfast. Uses DATABASE_URL, and Temporal by its standard environment variables.')
  .addHelpText('after', EXIT_HELP)
  .showHelpAfterError('(see --help)')
  .exitOverride();

// In the order in which an operator needs them at night.
for (const add of [
  addFailures,
  addFind,
  addRetrying,
  addBulkActions,
  addOrders,
  addQueues,
  addHealth,
  addReconcile,
  addSchedules,
  addReports,
  addPeople,
  addKeys,
  addDoctor,
]) {
  add(program);
}

await run(program);
