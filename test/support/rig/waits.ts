import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, vi } from 'vitest';
import { orderWorkflowId } from '../../../src/contracts/ids.ts';
import type { OrderStatus, SignupStatus } from '../../../src/contracts/statuses.ts';
import type { failures } from '../../../src/db/schema.ts';
import type { Readings } from './readings.ts';
import type { RigParts } from './temporal.ts';

/** Waits without skipping workflow time. */
const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 30_000, interval: 20 });

/** What a test waits for. */
export function createWaits({ skip, result }: RigParts, readings: Readings) {
  /** Waits, without skipping time, until an order has a status. */
  const orderStatus = (orderId: string, status: OrderStatus) =>
    until(async () => expect((await readings.order(orderId)).status).toBe(status));

  return {
    orderStatus,
    result,

    /** Waits, without skipping time, until a signup has a status. */
    signupStatus: (signupId: string, status: SignupStatus) =>
      until(async () => expect((await readings.signup(signupId)).status).toBe(status)),

    /**
     * Waits, without skipping time, until `saga` has a line. To cancel an order during a call, wait for that call and not
     * for the status before it: the test server loses a run if a cancellation crosses the end of the call it cancels.
     */
    step: (orderId: string, line: string) => until(async () => expect(await readings.saga(orderId)).toContain(line)),

    /** Waits, without skipping time, until an order has a failure with these columns. */
    failure: (orderId: string, columns: Partial<typeof failures.$inferSelect>) =>
      until(async () => expect(await readings.failures(orderId)).toContainEqual(expect.objectContaining(columns))),

    /** Waits, without skipping time, until an email with this subject has arrived. */
    email: (to: string, subject: RegExp) =>
      until(() => expect(readings.emails(to)).toContainEqual(expect.stringMatching(subject))),

    /** Skips time until an order is parked. */
    async parked(orderId: string): Promise<void> {
      for (let tries = 0; tries < 10 && (await readings.order(orderId)).status !== 'needs_attention'; tries += 1) {
        await skip(5 * 60_000);
      }
      await orderStatus(orderId, 'needs_attention');
    },

    /** Skips time until an order has failed or was cancelled. @returns the type of its error */
    async endedBadly(orderId: string): Promise<string | null | undefined> {
      const error: unknown = await result(orderWorkflowId(orderId)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WorkflowFailedError);
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      return cause instanceof ApplicationFailure ? cause.type : undefined;
    },
  };
}
