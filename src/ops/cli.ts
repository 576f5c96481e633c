import { Command } from 'commander';
import { addDoctor } from './cli/doctor.ts';
import { EXIT_HELP, run } from './cli/exit.ts';
import { addFailures } from './cli/failures.ts';
import { addKeys } from './cli/keys.ts';
import { addOrders } from './cli/orders.ts';
import { addQueues } from './cli/queues.ts';
import { addReplays } from './cli/replays.ts';
import { addReports } from './cli/reports.ts';
import { addRetrying } from './cli/retrying.ts';
import { addSchedules } from './cli/schedules.ts';

/** `npm run ops -- <noun> <verb>`: what the operator's page does, for terminals and scripts. */
const program = new Command('ops')
  .description('Looks after a running Holdfast. Works on DATABASE_URL and the Temporal of its standard environment.')
  .addHelpText('after', EXIT_HELP)
  .showHelpAfterError('(--help says more)')
  .exitOverride();

// In the order in which one needs them at night.
for (const add of [
  addFailures,
  addRetrying,
  addReplays,
  addOrders,
  addQueues,
  addSchedules,
  addReports,
  addKeys,
  addDoctor,
]) {
  add(program);
}

await run(program);
