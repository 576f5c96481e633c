import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import type { RunActivities } from '../activities/broken-runs.ts';
import type { createActivities } from '../activities/index.ts';
import type { ReconciliationActivities } from '../activities/reconciliation.ts';
import { moneyFormat, writeMoney } from '../contracts/money-format.ts';

/**
 * What people read beside each activity and timer of a run in the Web UI. A replay does not compare it, so it may change freely
 * (see docs/changing-workflows.md). No personal data.
 */

type ActivityName = keyof (ReturnType<typeof createActivities> & RunActivities & ReconciliationActivities);

/** @param args those of the activity @param total writes the amount of the order */
type Summary = string | ((args: readonly unknown[], total: () => string) => string);

const SUMMARIES: Record<ActivityName, Summary> = {
  // the steps of an order
  reserveStock: 'reserve the stock',
  requestApproval: 'ask for approval',
  recordApproval: ([, answer]) => `record the decision: ${word(answer, 'decision')}`,
  chargePayment: (_, total) => `charge ${total()}`,
  requestShipment: 'hand the order to the warehouse',
  issueInvoice: (_, total) => `issue the invoice for ${total()}`,
  recordShipped: 'record that the parcel has left',
  recordLateShipment: 'report that the parcel is late',
  completeOrder: 'complete the order',
  // what goes wrong, and how it is undone
  parkOrder: ([, step]) => `park the order: the step "${word(step)}" has used up its retries`,
  resumeOrder: 'resume the parked order',
  withdrawShipment: 'ask the warehouse to stop the parcel',
  recordCancellationRefused: 'record that the parcel cannot be stopped',
  beginCompensation: 'begin to undo the order',
  releaseStock: 'release the stock',
  refundPayment: (_, total) => `undo the charge of ${total()}`,
  refundAgain: 'refund again',
  cancelShipment: 'cancel the shipment',
  voidInvoice: 'void the invoice',
  recordSettlement: ([, settlement]) => `record that "${word(settlement, 'step')}" was undone by hand`,
  endOrder: ([, end]) => `end the order: ${word(end, 'type')}`,
  // signups
  startTrial: 'start the trial',
  expireSignup: 'let the signup expire, unless it is verified',
  endTrial: 'end the trial, unless it is subscribed',
  // emails
  sendOrderEmail: ([, template]) => `email: ${word(template)}`,
  sendSignupEmail: ([, template]) => `email: ${word(template)}`,
  resendEmail: 'send the email again',
  recordFailedEmail: ([email]) => `report an email that cannot be sent: ${word(email, 'template')}`,
  recordFailedResend: 'report that the email cannot be sent',
  // alerts
  sendAlert: ([alert]) => `email the alert: ${word(alert, 'occasion')}`,
  postAlert: ([alert]) => `post the alert: ${word(alert, 'occasion')}`,
  closeAlertGroup: 'look whether all failures are closed',
  logFailedAlert: 'log an alert that cannot be sent',
  // operations
  runReplayBatch: ([, size]) => `act on the next items, at most ${String(size)}`,
  compileWeeklyReport: ([input]) => `compile the report of the week before ${word(input, 'scheduledAt').slice(0, 10)}`,
  sendWeeklyReport: ([week]) => `email the report of ${word(week)}`,
  reportBrokenRuns: 'look for broken runs',
  pruneFinishedWork: 'delete what is past its retention',
  compareBooks: ([request]) => `compare ${word(request, 'check')}: ${word(request, 'scope')}`,
  recordUncheckedBooks: ([request]) => `record that ${word(request, 'check')} could not be compared`,
};

/** @returns a word among the arguments of an activity, as people read it */
function word(argument: unknown, field?: string): string {
  const found: unknown = field !== undefined && typeof argument === 'object' && argument !== null ? Reflect.get(argument, field) : argument;
  return typeof found === 'string' ? found.replaceAll('_', ' ') : '';
}

const isActivityName = (name: string): name is ActivityName => Object.hasOwn(SUMMARIES, name);

function summaryOf(activity: string, args: readonly unknown[], total: () => string): { summary?: string } {
  if (!isActivityName(activity)) return {};
  const summary = SUMMARIES[activity];
  return { summary: typeof summary === 'string' ? summary : summary(args, total) };
}

/** @param input what a run was started with @returns the amount of an order; nothing for another run */
function totalOf(input: unknown): string {
  if (typeof input !== 'object' || input === null || !('amount' in input) || !('currency' in input)) return '';
  const { amount, currency } = input;
  return typeof amount === 'number' && typeof currency === 'string' ? writeMoney(amount, moneyFormat(currency)) : '';
}

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** @returns the options of a timer: what it is for, and when it fires. @param says e.g. `the day` → `reminder on the day` */
export const waitingUntil = (duration: number, says: (day: string) => string): { summary: string } => ({
  summary: says(DAY.format(Date.now() + duration)),
});

/** Gives each activity and each timer of a run its summary. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let input: unknown;
  let written: string | undefined;
  const total = () => (written ??= totalOf(input));
  return {
    inbound: [
      {
        async execute(execution, next) {
          [input] = execution.args;
          return await next(execution);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (call, next) => next({ ...call, options: { ...summaryOf(call.activityType, call.args, total), ...call.options } }),
        scheduleLocalActivity: (call, next) => next({ ...call, options: { ...summaryOf(call.activityType, call.args, total), ...call.options } }),
        // Only the SDK starts timers without one: local activities that wait long for their next attempt.
        startTimer: (timer, next) => next({ ...timer, options: { summary: 'next attempt', ...timer.options } }),
      },
    ],
  };
};
