export { alert } from './alert.ts';
export { order } from './order.ts';
export { prune } from './prune.ts';
export { reconcile } from './reconcile.ts';
export { replayFailures } from './bulk-action.ts';
export { signup } from './signup.ts';
export { watchRuns } from './watch-runs.ts';
export { weeklyReport } from './weekly-report.ts';
