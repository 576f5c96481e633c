import { orderWorkflowId, signupWorkflowId } from '../../../src/contracts/ids.ts';
import { cancelOrder, type NewOrder } from '../../../src/intake/orders.ts';
import { acceptSignup } from '../../../src/intake/signups.ts';
import type { OperatorAction } from '../../../src/operate/action.ts';
import { cancelFailure, retryFailure } from '../../../src/operate/failures.ts';
import { approveOrder, rejectOrder } from '../../../src/operate/orders.ts';
import type { Readings } from './readings.ts';
import type { RigParts } from './temporal.ts';

const OPERATOR = 'key:operator';

/** What a test does. Each action that writes a command also delivers it, except `acceptOrder`. */
export function createActions(
  { shop, dispatcher }: RigParts,
  readings: Readings,
  recordStart: (workflowId: string) => void,
) {
  /** Delivers the commands that a test caused without the rig. */
  const deliver = () => dispatcher.drain();

  /** Accepts an order, and leaves it to `deliver` to start its workflow. @returns its id */
  async function acceptOrder(changes: Partial<NewOrder> = {}): Promise<string> {
    const { orderId } = await shop.placeOrder(changes);
    recordStart(orderWorkflowId(orderId));
    return orderId;
  }

  async function resolve(action: OperatorAction, orderId: string, reason: string): Promise<void> {
    const parked = (await readings.failures(orderId)).find(({ kind, status }) => kind === 'step' && status === 'open');
    if (!parked) throw new Error(`Order ${orderId} is not parked.`);
    await action.perform(shop, parked.id, { reason }, OPERATOR);
    await deliver();
  }

  return {
    deliver,
    acceptOrder,

    /** Accepts an order and starts its workflow. @returns its id */
    async placeOrder(changes: Partial<NewOrder> = {}): Promise<string> {
      const orderId = await acceptOrder(changes);
      await deliver();
      return orderId;
    },

    /** Accepts a signup and starts its workflow. @returns its id */
    async placeSignup(email = `${crypto.randomUUID()}@example.com`): Promise<string> {
      const { made } = await acceptSignup(shop.db, shop.caller, {
        idempotencyKey: crypto.randomUUID(),
        requestHash: 'test',
        signup: { email, name: 'Grace Hopper' },
      });
      recordStart(signupWorkflowId(made.id));
      await deliver();
      return made.id;
    },

    /** Cancels an order, as its customer. */
    async cancel(orderId: string, reason = 'changed my mind'): Promise<void> {
      await cancelOrder(shop.db, shop.caller, orderId, reason);
      await deliver();
    },

    /** Approves or rejects an order, as an operator. */
    async decide(orderId: string, decision: 'approve' | 'reject', reason = 'checked'): Promise<void> {
      const action = decision === 'approve' ? approveOrder : rejectOrder;
      await action.perform(shop, orderId, { reason }, OPERATOR);
      await deliver();
    },

    /** Retries the parked step of an order, as an operator. */
    retry: (orderId: string, reason = 'it is back') => resolve(retryFailure, orderId, reason),

    /** Cancels a parked order, as an operator. */
    giveUp: (orderId: string, reason = 'not worth it') => resolve(cancelFailure, orderId, reason),

    /** Ships the parcel of an order at the warehouse, while the webhook about it is still on its way. */
    shipSilently: (orderId: string): Promise<void> => shop.shipSilently(orderId),

    /** Receives a webhook of the carrier about the parcel of an order. */
    async carrier(...webhook: Parameters<typeof shop.carrier>): Promise<void> {
      await shop.carrier(...webhook);
      await deliver();
    },

    /** Ends every fault of the simulators. */
    heal: () => shop.heal(),
  };
}
