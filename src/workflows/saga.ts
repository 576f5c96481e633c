import type { OrderStep } from '../contracts/statuses.ts';

export interface Compensation {
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

  /** Undoes everything, last step first. @param run runs one compensation to its end */
  async compensate(run: (compensation: Compensation) => Promise<void>): Promise<void> {
    for (const compensation of this.#compensations.toReversed()) await run(compensation);
  }
}
