import type { OrderStep } from '../contracts/statuses.ts';

interface Compensation {
  step: OrderStep;
  undo: () => Promise<void>;
}

/**
 * What has to be undone if the story ends badly. A compensation is registered on the line above its step: if it came
 * after, a step whose answer was lost would never be undone.
 */
export class Saga {
  readonly #compensations: Compensation[] = [];

  /** @param undo must be harmless when the step never happened, and must not give up */
  compensateWith(step: OrderStep, undo: () => Promise<void>): void {
    this.#compensations.push({ step, undo });
  }

  /** Undoes everything, last step first. */
  async compensate(): Promise<void> {
    for (const { undo } of this.#compensations.toReversed()) await undo();
  }
}
