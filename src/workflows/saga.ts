import type { OrderStep } from '../contracts/statuses.ts';

/** How to undo one step. */
export interface Compensation {
  step: OrderStep;
  undo: () => Promise<void>;
}

/**
 * What has to be undone if the order ends badly. Register a compensation before its step runs: registered afterwards, it
 * would miss a step that took effect but whose answer was lost.
 */
export class Saga {
  readonly #compensations: Compensation[] = [];

  /**
   * Does nothing if the step is registered already.
   * @param undo must be harmless if the step never took effect, and must not give up
   */
  compensateWith(step: OrderStep, undo: () => Promise<void>): void {
    if (this.#compensations.some((registered) => registered.step === step)) return;
    this.#compensations.push({ step, undo });
  }

  /** Undoes everything, last step first. @param run runs one compensation until it has ended */
  async compensate(run: (compensation: Compensation) => Promise<void>): Promise<void> {
    for (const compensation of this.#compensations.toReversed()) await run(compensation);
  }
}
