import { log } from '@temporalio/workflow';
import type { ErrorDetails } from '../contracts/errors.ts';
import { describeError } from './errors.ts';

/**
 * The emails and webhooks of one workflow. They are best effort: one that cannot be sent is recorded, and never delays or
 * undoes what it is about. `Message` names one of them.
 */
export class BestEffortMessages<Message> {
  readonly #inProgress: Promise<void>[] = [];
  readonly #onExhausted: (message: Message, error: ErrorDetails) => Promise<void>;

  /** @param onExhausted records a message that could not be sent */
  constructor(onExhausted: (message: Message, error: ErrorDetails) => Promise<void>) {
    this.#onExhausted = onExhausted;
  }

  /** Starts sending a message without waiting for it. */
  send(message: Message, run: () => Promise<void>): void {
    this.#inProgress.push(this.#attempt(message, run));
  }

  /** Waits until each message is either sent or recorded as failed. A run that ends sooner would drop it. */
  async settled(): Promise<void> {
    await Promise.all(this.#inProgress);
  }

  async #attempt(message: Message, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      log.warn('A message could not be sent', { message });
      await this.#onExhausted(message, describeError(error));
    }
  }
}
