import { describe, expect, it } from 'vitest';
import { defaultPayloadConverter } from '@temporalio/common';
import { decryptHistory } from '../../../src/temporal/histories/clear-text.ts';
import { orderWorkflowId, shortNumber, signupWorkflowId } from '../../../src/contracts/ids.ts';
import { codec } from '../../support/payloads.ts';
import { DAY, useRig } from '../../support/rig.ts';

const rig = await useRig();

/** @returns the summary of a run and of each of its activities and timers, in order; `-` where there is none */
async function summaries(workflowId: string): Promise<string[]> {
  const { events } = decryptHistory(await rig.client.workflow.getHandle(workflowId).fetchHistory(), codec);
  return (events ?? []).flatMap((event) => {
    const isLocalActivity = event.markerRecordedEventAttributes?.markerName === 'core_local_activity';
    const { workflowExecutionStartedEventAttributes: run, activityTaskScheduledEventAttributes: activity, timerStartedEventAttributes: timer } = event;
    if (!run && !activity && !timer && !isLocalActivity) return [];
    const summary = event.userMetadata?.summary;
    return [summary ? defaultPayloadConverter.fromPayload<string>(summary) : '-'];
  });
}

const A_DAY = String.raw`\d{1,2} [A-Z][a-z]{2,3}`;

describe('a run reads as a story', () => {
  it('of an order', async () => {
    const id = await rig.fulfillingOrder();
    await rig.carrier(id, 'shipped');
    await rig.orderStatus(id, 'shipped');
    await rig.carrier(id, 'delivered');
    await rig.result(orderWorkflowId(id));
    expect(await summaries(orderWorkflowId(id))).toEqual([
      `Order ${shortNumber(id)}, €17.80`,
      'reserve the stock',
      'charge €17.80',
      'hand the order to the warehouse',
      'issue the invoice for €17.80',
      'email: order confirmed',
      expect.stringMatching(`^waiting for the carrier, operations reminded on ${A_DAY}$`),
      'record that the parcel has left',
      'email: order shipped',
      expect.stringMatching(`^shipped, taken as delivered on ${A_DAY}$`),
      'complete the order',
      'email: order delivered',
    ]);
  });

  it('of an order that is parked and given up', async () => {
    rig.warehouse.faults.set({ mode: 'error_before' });
    const id = await rig.placeOrder();
    await rig.parked(id);
    rig.heal();
    await rig.giveUp(id);
    await rig.endedBadly(id);
    const told = await summaries(orderWorkflowId(id));
    expect(told).toEqual(
      expect.arrayContaining([
        'park the order: the step "ship" has used up its retries',
        expect.stringMatching(`^parked, cancelled automatically on ${A_DAY}$`),
        'ask the warehouse to stop the parcel',
        'undo the charge of €17.80',
        'end the order: order cancelled',
        'email: order cancelled',
      ]),
    );
    expect(told).not.toContain('-');
  });

  it('of an order that waits for approval', async () => {
    const id = await rig.placeOrder({ items: [{ sku: 'SAMOVAR-BRASS', quantity: 1 }] });
    await rig.orderStatus(id, 'awaiting_approval');
    await rig.skip(2 * DAY);
    await rig.endedBadly(id);
    const told = await summaries(orderWorkflowId(id));
    expect(told).toEqual(
      expect.arrayContaining([
        expect.stringMatching(`^waiting for approval, reminder on ${A_DAY}$`),
        expect.stringMatching(`^waiting for approval, rejected automatically on ${A_DAY}$`),
        'record the decision: reject',
      ]),
    );
    expect(told).not.toContain('-');
  });

  it('of a signup', async () => {
    const id = await rig.placeSignup();
    await rig.result(signupWorkflowId(id));
    const told = await summaries(signupWorkflowId(id));
    expect(told[0]).toBe(`Signup ${shortNumber(id)}`);
    expect(told).toEqual(
      expect.arrayContaining([
        'email: verification',
        expect.stringMatching(`^not verified, reminder on ${A_DAY}$`),
        expect.stringMatching(`^not verified, expires on ${A_DAY}$`),
        'let the signup expire, unless it is verified',
      ]),
    );
    expect(told).not.toContain('-');
  });
});
