import { ServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { OrderPolicy, SignupPolicy } from '../contracts/messages.ts';
import { REQUEST_ID, SIGNALS, TASK_QUEUES, TRACEPARENT } from '../contracts/names.ts';
import { refundWorkflowId, resendWorkflowId, shortNumber } from '../contracts/ids.ts';
import { formatMoney } from '../contracts/money.ts';
import { targetWorkflowId, type Command } from '../records/commands.ts';
import { diagnose, type TemporalTrouble } from '../temporal/availability.ts';
import { resetRun } from '../temporal/reset.ts';
import { inSpan, traceparent } from '../tracing/spans.ts';

/** What delivering a command came to. `later`: it can be delivered soon. `gone`: it is for a run that has ended. */
export type Outcome = { state: 'delivered' } | { state: 'later' | 'gone' | TemporalTrouble; error: string };

export interface DeliveryOptions {
  client: Client;
  policies: { order: OrderPolicy; signup: SignupPolicy };
  /** Ask for eager starts. Works only where a worker of the orders queue shares the client's connection. */
  eagerStart: boolean;
}

/** The previous generation's run has not quite ended: it is still sending its last email. */
class StillClosingError extends Error {
  override name = 'StillClosingError';
}

/** This process was frozen until after its lease. Another may have delivered this command, and later ones. */
class TooLateError extends Error {
  override name = 'TooLateError';
}

/** @returns a function that delivers one command to Temporal. Harmless when a command is delivered twice. */
export function createDelivery({ client, policies, eagerStart }: DeliveryOptions) {
  async function send(command: Command, deadline: number, owner: string | null): Promise<void> {
    stopAfter(deadline);
    const workflowId = targetWorkflowId(command);
    const handle = client.workflow.getHandle(workflowId);
    switch (command.type) {
      case 'start_order':
        return await startOrder(command, deadline, owner);
      case 'start_signup':
        await client.workflow.start('signup', {
          workflowId,
          taskQueue: TASK_QUEUES.orders,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          requestEagerStart: eagerStart,
          args: [{ signupId: command.signupId, policy: policies.signup }],
          ...fairnessOf(owner),
          memo: memoOf(command),
          staticSummary: `Signup ${shortNumber(command.signupId)}`,
          staticDetails: 'verification → trial → subscribed',
        });
        return;
      case 'start_bulk_action':
        await client.workflow.start('replayFailures', {
          workflowId,
          taskQueue: TASK_QUEUES.operations,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          args: [{ replayId: command.bulkActionId, ratePerSecond: command.ratePerSecond }],
          staticSummary: `Bulk action ${shortNumber(command.bulkActionId)}, at most ${command.ratePerSecond} per second`,
        });
        return;
      case 'watch_alert_group':
        // Of an earlier version. Alerts are sent without Temporal now.
        return;
      case 'reset_run':
        return await resetRun(client, { workflowId, before: command.eventId, requestId: command.requestId });
      case 'refund_again': {
        const { failureId, occurrence } = command;
        await client.workflow.start('refund', {
          workflowId: refundWorkflowId({ failureId, occurrence }),
          taskQueue: TASK_QUEUES.orders,
          workflowIdConflictPolicy: 'FAIL',
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          args: [{ failureId, occurrence }],
          staticSummary: 'Refund, asked for again',
        });
        return;
      }
      case 'resend_email': {
        const { failureId, occurrence } = command;
        await client.workflow.start('resendEmail', {
          workflowId: resendWorkflowId({ failureId, occurrence }),
          taskQueue: TASK_QUEUES.orders,
          workflowIdConflictPolicy: 'FAIL',
          // A second run finds that the email was sent, or that its failure is not the same any more.
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          args: [{ failureId, occurrence }],
          staticSummary: 'Email, asked for again',
        });
        return;
      }
      case 'cancel_order':
        return await handle.signal(SIGNALS.cancelOrder, command.message);
      case 'decide_approval':
        return await handle.signal(SIGNALS.decideApproval, command.message);
      case 'resolve_failure':
        return await handle.signal(SIGNALS.resolveFailure, command.message);
      case 'settle_compensation':
        return await handle.signal(SIGNALS.settleCompensation, command.message);
      case 'update_shipment':
        return await handle.signal(SIGNALS.carrierUpdate, command.message);
      case 'verify_signup':
        return await handle.signal(SIGNALS.verified);
      case 'subscribe_signup':
        return await handle.signal(SIGNALS.subscribed);
      case 'wake_bulk_action':
        return await handle.signal(SIGNALS.replayChanged);
    }
  }

  async function startOrder(command: Extract<Command, { type: 'start_order' }>, deadline: number, owner: string | null): Promise<void> {
    const { orderId, generation, amount, currency } = command;
    const workflowId = targetWorkflowId(command);
    // A start that was delivered but not recorded. Its run may have failed since, and then another would be allowed.
    if (generation > 1 && ((await latestGeneration(workflowId)) ?? 0) >= generation) return;
    stopAfter(deadline);
    try {
      await client.workflow.start('order', {
        workflowId,
        taskQueue: TASK_QUEUES.orders,
        workflowIdConflictPolicy: 'FAIL',
        // A later generation follows one that failed. Nothing else may follow a closed run.
        workflowIdReusePolicy: generation === 1 ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
        requestEagerStart: eagerStart,
        args: [{ orderId, generation, amount, currency, policy: policies.order }],
        ...fairnessOf(owner),
        memo: { generation, ...memoOf(command) },
        staticSummary: `Order ${shortNumber(orderId)}, ${formatMoney(amount, currency)}`,
        staticDetails: 'reserve stock → [approval] → charge → ship → invoice → shipped → delivered',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || generation === 1) throw error;
      if ((await latestGeneration(workflowId)) !== generation) throw new StillClosingError();
    }
  }

  /** @returns the generation of the latest run of an order; undefined when Temporal knows none */
  async function latestGeneration(workflowId: string): Promise<number | undefined> {
    try {
      const { memo } = await client.workflow.getHandle(workflowId).describe();
      return Number(memo?.['generation'] ?? 1);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /**
   * @param deadline ms since 1970. Nothing is sent after it, even if this process was frozen meanwhile
   * @param owner whose share of the workers a run that it starts takes
   */
  return async function deliver(command: Command, deadline: number, owner: string | null): Promise<Outcome> {
    try {
      await traced(command, () => client.withDeadline(deadline, () => send(command, deadline, owner)));
      return { state: 'delivered' };
    } catch (error) {
      // A process died after the delivery and before it was recorded.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return { state: 'delivered' };
      if (error instanceof StillClosingError) return { state: 'later', error: 'The previous run has not ended yet.' };
      if (error instanceof WorkflowNotFoundError) return { state: 'gone', error: error.message };
      if (error instanceof TooLateError) return { state: 'away', error: error.message };
      return { state: diagnose(error), error: describe(error) };
    }
  };
}

/** @returns the part of a memo that says which request a run began with */
function memoOf({ requestId }: { requestId?: string | undefined }): Record<string, string> {
  const parent = traceparent();
  return { ...(requestId !== undefined && { [REQUEST_ID]: requestId }), ...(parent !== undefined && { [TRACEPARENT]: parent }) };
}

/** Commands that a traced request has written are delivered as part of its trace. */
const traced = (command: Command, deliver: () => Promise<void>): Promise<void> =>
  'traceparent' in command
    ? inSpan(
        {
          name: `deliver ${command.type}`,
          kind: 'producer',
          parent: command.traceparent,
          attributes: { 'holdfast.workflow': targetWorkflowId(command) },
        },
        deliver,
      )
    : deliver();

/**
 * Tasks that wait in a task queue are handed out to the owners of their runs in turn, where Temporal has fairness enabled.
 * The key is the id of an API key, which is no personal data.
 */
const fairnessOf = (owner: string | null) => (owner === null ? {} : { priority: { fairnessKey: owner } });

/** @throws TooLateError */
function stopAfter(deadline: number): void {
  if (Date.now() >= deadline) throw new TooLateError('The process was frozen, and its lease has ended.');
}

/** The client's own message says only which call failed. */
function describe(error: unknown): string {
  const cause = error instanceof ServiceError ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
