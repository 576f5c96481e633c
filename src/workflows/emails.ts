import { log } from '@temporalio/workflow';
import { describeError, type ErrorDetails } from './errors.ts';

/**
 * The emails (and other messages) of one workflow. They are best effort: one that cannot be sent is a failure to look at, and never holds
 * up or undoes the business that it tells of.
 */
export class Emails {
  readonly #underWay: Promise<void>[] = [];
  readonly #onExhausted: (template: string, error: ErrorDetails) => Promise<void>;

  /** @param onExhausted writes down an email that could not be sent */
  constructor(onExhausted: (template: string, error: ErrorDetails) => Promise<void>) {
    this.#onExhausted = onExhausted;
  }

  /** Starts sending, and lets the story go on. */
  send(template: string, run: () => Promise<void>): void {
    this.#underWay.push(this.#attempt(template, run));
  }

  /** Waits until each email is either sent or written down as failed: a run that ended sooner would drop it. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #attempt(template: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      log.warn('An email could not be sent', { template });
      await this.#onExhausted(template, describeError(error));
    }
  }
}
