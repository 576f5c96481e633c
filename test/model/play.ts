import { expect } from 'vitest';
import { cancelFailure, retryFailure, settleFailure } from '../../src/operate/failures.ts';
import { approveOrder, rejectOrder, restartOrder } from '../../src/operate/orders.ts';
import type { Rig } from '../support/rig.ts';
import { describeCommand, type Command } from './commands.ts';
import { HOUR, MINUTE, ModelOrder, SECOND, type Answer, type News, type World } from './order-model.ts';
import { createDriver } from './shop-driver.ts';

/** More orders only take longer: they share nothing but the stock. */
const MOST_ORDERS = 2;

interface Message {
  news: News;
  generation: number;
  eventId: string;
  arrived: boolean;
}

/** An order, really and in the model. */
interface Pair {
  id: string;
  model: ModelOrder;
  /** What the carrier has sent about its parcels. */
  messages: Message[];
}

/**
 * Plays a script with the real shop and with the model. After each command, every order must be what the model says.
 * In the end all services are back, and every order is brought to its end.
 * @param patience ms to wait for an order to become what the model says
 * @returns the ids of the orders
 */
export async function play(rig: Rig, script: readonly Command[], patience: number): Promise<string[]> {
  const world: World = { now: 0, payments: 'up', warehouse: 'up' };
  const driver = createDriver(rig);
  const pairs: Pair[] = [];
  const played: string[] = [];

  async function perform(command: Command): Promise<void> {
    played.push(describeCommand(command));
    await execute(command);
    if (world.payments !== 'up' || world.warehouse !== 'up') await pass(45 * SECOND);
    for (const { id, model } of pairs) {
      await expect
        .poll(() => driver.observe(id), { timeout: patience, interval: 10, message: `order ${id} after: ${played.join('; ')}` })
        .toEqual(model.expectation);
      if (model.rest.at === 'ended') await driver.closed(id);
    }
  }

  /**
   * Time passes. While a service is down, 45 s follow each command: then a shipment and an email have used up their
   * attempts, and a charge or a compensation is between two attempts that are far apart.
   */
  async function pass(duration: number): Promise<void> {
    await rig.skip(duration);
    world.now += duration;
    for (const { model } of pairs) model.catchUp();
  }

  const expectSame = (answer: Answer, expected: Answer) => expect(answer, `answer after: ${played.join('; ')}`).toBe(expected);

  async function execute(command: Command): Promise<void> {
    switch (command.do) {
      case 'place':
        if (pairs.length < MOST_ORDERS) {
          pairs.push({ id: await driver.place(command.wish), model: new ModelOrder(command.wish, world), messages: [] });
        }
        return;
      case 'break':
        // From one trouble into another, nobody could say when the next attempt meets which.
        if (world[command.service] !== 'up') return;
        world[command.service] = command.condition;
        return driver.break(command.service, command.condition);
      case 'repair':
        rig.heal();
        world.payments = world.warehouse = 'up';
        // The longest delay between two attempts, and its spread.
        for (const { model } of pairs) model.tryAgain();
        return await pass(10 * MINUTE);
      case 'wait':
        return await pass(durationOf(command, world, pairs));
      case 'cancel':
      case 'approve':
      case 'reject':
      case 'restart':
      case 'retry':
      case 'give up':
      case 'settle':
      case 'parcel':
      case 'message': {
        const pair = pick(pairs, command.order);
        if (pair) await executeOn(pair, command);
      }
    }
  }

  async function executeOn(pair: Pair, command: Extract<Command, { order: number }>): Promise<void> {
    const { id, model, messages } = pair;
    switch (command.do) {
      case 'cancel':
        return expectSame(await driver.cancel(id), model.cancel());
      case 'approve':
      case 'reject':
        return expectSame(await driver.act(command.do === 'approve' ? approveOrder : rejectOrder, id), model.decide(command.do));
      case 'restart':
        return expectSame(await driver.act(restartOrder, id), model.restart());
      case 'retry':
      case 'give up': {
        const failure = pick(await rig.failures(id), command.failure);
        const modelled = pick(model.failures, command.failure);
        if (!failure || !modelled) return;
        const action = command.do === 'retry' ? retryFailure : cancelFailure;
        return expectSame(await driver.act(action, failure.id), model.resolve(modelled, command.do));
      }
      case 'settle': {
        const failure = pick(await rig.failures(id), command.failure);
        const modelled = pick(model.failures, command.failure);
        if (!failure || !modelled) return;
        // Nobody can stop a parcel that has left.
        if (failure.kind === 'compensation' && failure.step === 'ship' && hasLeft(model)) return;
        if (failure.kind === 'compensation' && failure.status === 'open') {
          await driver.undoByHand(id, model.generation, failure.step);
        }
        return expectSame(await driver.act(settleFailure, failure.id), model.settle(modelled));
      }
      case 'parcel': {
        const news = NEXT_NEWS[command.moves][model.parcel];
        if (!news || !['parked', 'carrier', 'transit', 'withdrawing'].includes(model.rest.at)) return;
        await driver.moveParcel(id, model.generation, news);
        model.parcel = news;
        messages.push({ news, generation: model.generation, eventId: driver.newEventId(), arrived: false });
        return;
      }
      case 'message': {
        const message = pick(messages, command.message);
        if (!message) return;
        const isKnown = message.arrived && command.again === 'same event';
        await driver.receive({ orderId: id, ...message, eventId: message.arrived && !isKnown ? driver.newEventId() : message.eventId });
        message.arrived = true;
        if (!isKnown) model.receive(message.news, message.generation);
      }
    }
  }

  /** @returns what brings an order nearer to its end, while all services are up */
  function towardsTheEnd({ model, messages }: Pair, order: number): Command[] {
    switch (model.rest.at) {
      case 'approval':
        return [{ do: 'reject', order }];
      case 'parked':
      case 'carrier':
      case 'transit': {
        if (model.parcel === 'accepted' || model.parcel === 'none') return [{ do: 'cancel', order }];
        const all = messages.map((_, message): Command => ({ do: 'message', order, message, again: 'new event' }));
        return model.parcel === 'shipped'
          ? [{ do: 'parcel', order, moves: 'on' }, { do: 'message', order, message: messages.length, again: 'new event' }]
          : all;
      }
      case 'charging':
      case 'withdrawing':
      case 'undoing':
      case 'ended':
        return [];
    }
  }

  for (const command of script) await perform(command);
  await perform({ do: 'repair' });
  for (const [order, pair] of pairs.entries()) {
    for (const command of towardsTheEnd(pair, order)) await perform(command);
    expect(pair.model.rest.at, `at the end of: ${played.join('; ')}`).toBe('ended');
  }
  return pairs.map(({ id }) => id);
}

const hasLeft = ({ parcel }: ModelOrder): boolean => parcel === 'shipped' || parcel === 'delivered';

/** What happens to a parcel that moves on, or back. */
const NEXT_NEWS: Record<'on' | 'back', Partial<Record<ModelOrder['parcel'], News>>> = {
  on: { accepted: 'shipped', shipped: 'delivered' },
  back: { accepted: 'rejected' },
};

/** @returns how long to wait, in ms. No deadline is so near to the end that it matters which comes first */
function durationOf({ until }: Extract<Command, { do: 'wait' }>, { now }: World, pairs: readonly Pair[]): number {
  const deadlines = pairs.flatMap(({ model: { rest } }) => ('until' in rest ? [rest.until] : []));
  // What is retried without end takes real time: the wait for a deadline days away would be too long.
  const isRetrying = pairs.some(({ model: { rest } }) => rest.at === 'undoing' || rest.at === 'withdrawing');
  const isLong = until === 'the next deadline' && deadlines.length > 0 && !isRetrying;
  let end = isLong ? Math.min(...deadlines) + 20 * MINUTE : now + HOUR;
  while (deadlines.some((deadline) => Math.abs(deadline - end) < 15 * MINUTE)) end += 20 * MINUTE;
  return end - now;
}

/** @returns one element, counted round; undefined if there is none */
const pick = <Element>(elements: readonly Element[], index: number): Element | undefined => elements[index % elements.length];
